package io.gatun.ffm.netlink;

import io.gatun.ffm.netlink.Attributes.Layout;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A network device, immutable.
 *
 * @param mac link-layer address, six bytes on Ethernet, empty where there is none; not to be
 *     changed
 * @param up administratively up
 * @param running has a carrier as well
 * @param kind {@code veth}, {@code bridge}, …; empty for hardware and loopback
 * @param master index of the bridge or bond it belongs to, 0 for none
 * @param peerIndex of a veth's other end or a VLAN's lower device, 0 for none
 * @param peerNamespace id of the namespace the peer is in, −1 for this one
 * @param vlan the VLAN's id, 0 for a device that is none
 * @param vxlan what a VXLAN device says, null for others
 * @param bridge how a bridge is set, null for others
 * @param xdpProgram id of the XDP program that is attached, in whatever mode; 0 for none
 */
@SuppressWarnings("ArrayRecordComponent") // six bytes, read only; never compared
public record Link(
    int index,
    String name,
    byte[] mac,
    int mtu,
    boolean up,
    boolean running,
    String kind,
    int master,
    int peerIndex,
    int peerNamespace,
    int vlan,
    @Nullable VxlanDevice vxlan,
    @Nullable BridgeDevice bridge,
    int xdpProgram)
    implements KernelObject {

  // struct ifinfomsg: family u8, type u16 at 2, index s32, flags u32, change u32
  static final Layout LAYOUT = new Layout("ifinfomsg", 16);
  static final int INDEX = 4;
  static final int FLAGS = 8;
  private static final int IFF_UP = 1;
  private static final int IFF_RUNNING = 0x40;
  private static final int IFLA_ADDRESS = 1;
  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_MTU = 4;
  private static final int IFLA_LINK = 5;
  private static final int IFLA_MASTER = 10;
  private static final int IFLA_LINKINFO = 18;
  private static final int IFLA_INFO_KIND = 1;
  private static final int IFLA_INFO_DATA = 2;
  private static final int IFLA_VLAN_ID = 1;
  private static final int IFLA_LINK_NETNSID = 37;
  private static final int IFLA_XDP = 43;

  // Of all modes while one has a program, then of each: generic, native, offloaded. There may be
  // several.
  private static final int[] IFLA_XDP_PROG_IDS = {4, 6, 5, 7};

  /** Null for what a protocol says of a device. */
  static @Nullable Link parse(ByteBuffer body) {
    Attributes attributes = LAYOUT.attributes(body);
    if (body.get(0) != 0) {
      return null;
    }
    Attributes info = attributes.nested(IFLA_LINKINFO);
    String kind = info.string(IFLA_INFO_KIND);
    Attributes data = info.nested(IFLA_INFO_DATA);
    int flags = body.getInt(FLAGS);
    return new Link(
        body.getInt(INDEX),
        attributes.string(IFLA_IFNAME),
        attributes.bytes(IFLA_ADDRESS),
        attributes.integer(IFLA_MTU, 0),
        (flags & IFF_UP) != 0,
        (flags & IFF_RUNNING) != 0,
        kind,
        attributes.integer(IFLA_MASTER, 0),
        attributes.integer(IFLA_LINK, 0),
        attributes.integer(IFLA_LINK_NETNSID, -1),
        kind.equals("vlan") ? data.unsignedShort(IFLA_VLAN_ID, 0) : 0,
        kind.equals("vxlan") ? VxlanDevice.parse(data) : null,
        kind.equals("bridge") ? BridgeDevice.parse(data) : null,
        xdpProgram(attributes.nested(IFLA_XDP)));
  }

  private static int xdpProgram(Attributes xdp) {
    for (int type : IFLA_XDP_PROG_IDS) {
      int id = xdp.integer(type, 0);
      if (id != 0) {
        return id;
      }
    }
    return 0;
  }
}
