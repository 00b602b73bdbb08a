package io.gatun.ffm.netlink;

import io.gatun.ffm.Libc;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Where a bridge or a VXLAN device finds a MAC address, immutable.
 *
 * @param ifIndex the bridge's port, or the VXLAN device itself
 * @param mac six bytes; not to be changed
 * @param master the bridge, 0 for a device's own entry
 * @param vlan 0 for none
 * @param remote the other end of a tunnel, null on a bridge
 * @param vni 0 for the device's own
 * @param port of the tunnel's other end, 0 for the device's own
 * @param local the address is a port's own: frames to it are for the host
 */
@SuppressWarnings("ArrayRecordComponent") // six bytes, read only; never compared
public record FdbEntry(
    int ifIndex,
    byte[] mac,
    int master,
    int vlan,
    @Nullable InetAddress remote,
    int vni,
    int port,
    boolean local)
    implements KernelObject {

  /** Family of a bridge's messages. */
  static final int AF_BRIDGE = 7;

  private static final int MAC = 6;
  private static final int NDA_LLADDR = 2;
  static final int NDA_VLAN = 5;
  private static final int NDA_PORT = 6;
  private static final int NDA_VNI = 7;
  private static final int NDA_MASTER = 9;

  /** Null for an entry that is not of an Ethernet address. */
  static @Nullable FdbEntry parse(ByteBuffer body) {
    Attributes attributes = Neighbour.LAYOUT.attributes(body);
    byte[] mac = attributes.bytes(NDA_LLADDR);
    if (mac.length != MAC) {
      return null;
    }
    byte[] remote = attributes.bytes(Neighbour.NDA_DST);
    int master = attributes.integer(NDA_MASTER, 0);
    int state = body.getShort(Neighbour.STATE) & 0xFFFF;
    return new FdbEntry(
        body.getInt(Neighbour.IFINDEX),
        mac,
        master,
        attributes.unsignedShort(NDA_VLAN, 0),
        attributes.address(Neighbour.NDA_DST, remote.length == 16 ? Libc.AF_INET6 : Libc.AF_INET),
        attributes.integer(NDA_VNI, 0),
        attributes.unsignedShortBe(NDA_PORT, 0),
        master != 0 && (state & Neighbour.NUD_PERMANENT) != 0);
  }
}
