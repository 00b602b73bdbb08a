package io.gatun.port.packet;

import io.gatun.ffm.Errno;
import io.gatun.ffm.packet.FilterProgram;
import io.gatun.ffm.packet.PacketSocket;
import io.gatun.port.NodeTraffic;
import io.gatun.port.PortSet;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Which frames of the uplinks are the node's own, told to both who decide about a frame: the
 * socket's filter, whether we get it, and the interface's chain, whether the kernel drops it.
 * Thread-safe.
 *
 * <p>Two places cannot change in the same instant. So that no frame is ever worked on twice, the
 * chain first drops what is ours by the old list or by the new one, then the filters change, then
 * the chain drops what is ours by the new one: what comes in between may be lost.
 */
public final class UplinkFrames implements NodeTraffic {
  private static final System.Logger LOG = System.getLogger("gatun.uplink");

  private record Uplink(Function<OwnList, FilterProgram> filter, PacketSocket socket) {}

  private final NftLease lease;
  private final Map<String, Uplink> uplinks = new HashMap<>();
  private OwnList list = OwnList.NONE;
  private boolean told;

  /** Without addresses, so that everything to an uplink's MAC would be ours. */
  public UplinkFrames(NftLease lease) {
    this.lease = lease;
  }

  @Override
  public synchronized void own(Set<InetAddress> addresses, PortSet claims) {
    OwnList next = OwnList.of(addresses, claims);
    // What a predecessor has told the chains is, all but for a moment's changes, the same.
    int result = lease.own(told ? list.and(next) : next);
    if (result >= 0) {
      uplinks.forEach((name, uplink) -> filter(name, uplink, next));
      result = lease.own(next);
    }
    if (result < 0) {
      LOG.log(
          Level.ERROR,
          "the uplinks' chains do not know of {0} ({1}): what is new among them comes to us",
          next,
          Errno.name(-result));
    }
    list = next;
    told = true;
  }

  private static void filter(String name, Uplink uplink, OwnList next) {
    int result = uplink.socket.filter(uplink.filter.apply(next));
    if (result < 0) {
      LOG.log(
          Level.ERROR,
          "{0}: the filter does not know of {1} ({2}): raise net.core.optmem_max",
          name,
          next,
          Errno.name(-result));
    }
  }

  /** What a new socket on an interface with address {@code mac} is to take. */
  synchronized FilterProgram filter(byte[] mac) {
    return FrameFilter.uplink(mac, list);
  }

  /** From now on {@code socket} has the filter that the list makes, whatever becomes of it. */
  synchronized void follow(String ifName, byte[] mac, PacketSocket socket) {
    Uplink uplink = new Uplink(own -> FrameFilter.uplink(mac, own), socket);
    filter(ifName, uplink, list); // may have changed since it was opened
    uplinks.put(ifName, uplink);
  }

  /** The socket is about to be closed. */
  synchronized void forget(String ifName) {
    uplinks.remove(ifName);
  }
}
