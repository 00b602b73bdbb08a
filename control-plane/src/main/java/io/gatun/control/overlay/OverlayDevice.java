package io.gatun.control.overlay;

import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Entry;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.ffm.netlink.VxlanDevice;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * This node's end of an overlay, and the other nodes. Immutable.
 *
 * @param number tells such devices apart, from 0
 * @param name for people, {@code flannel.1}
 * @param vni 24 bits
 * @param port UDP destination port
 * @param local this node's address in the underlay; the remote nodes' are of the same family
 * @param mac of this node's VTEP
 */
public record OverlayDevice(
    int number,
    String name,
    int vni,
    int port,
    InetAddress local,
    MacAddress mac,
    List<RemoteNode> nodes) {
  /** Indexes of devices that the kernel does not know: far below those of ports without one. */
  private static final int FIRST_INDEX = Integer.MIN_VALUE;

  /** The underlay's MTU decides. */
  private static final int ANY_MTU = 65_535;

  public OverlayDevice {
    nodes = List.copyOf(nodes);
  }

  /** The entries that flanneld would have made in the kernel's tables. */
  List<Entry> entries() {
    int index = FIRST_INDEX + number;
    VxlanDevice vxlan = new VxlanDevice(vni, local, 0, port, false, false, true);
    List<Entry> entries = new ArrayList<>();
    entries.add(new Link(index, name, mac, ANY_MTU, true, true, "vxlan", 0, 0, false, vxlan));
    for (RemoteNode node : nodes) {
      entries.add(new Forwarding(index, node.mac(), 0, 0, node.address(), 0, 0, false));
      for (Prefix pods : node.pods()) {
        InetAddress gateway = pods.address();
        entries.add(new Neighbour(index, gateway, node.mac(), "permanent"));
        Way way = new Way(index, gateway, 1);
        entries.add(Route.of(pods, RouteType.UNICAST, List.of(way), 0));
      }
    }
    return entries;
  }
}
