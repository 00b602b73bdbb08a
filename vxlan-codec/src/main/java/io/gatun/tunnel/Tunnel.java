package io.gatun.tunnel;

import java.net.Inet6Address;
import java.net.InetAddress;

/**
 * The way to one remote node: all that its packets have in common. Immutable; the control side's
 * view of a line of the {@link TunnelTable}.
 *
 * @param vni 24 bits
 * @param local source of the outer packets, a node address
 * @param remote the other VTEP's, of the same family
 * @param port UDP destination port
 * @param outPort number of the underlay's port
 * @param sourceMac of that port, 48 bits, first octet highest
 * @param destinationMac of the underlay's next hop
 * @param tos outer DSCP and ECN byte; the ECN bits are the inner packet's
 * @param dontFragment whether routers may not fragment the outer packet (IPv4)
 * @param mtu of inner IP packets
 */
public record Tunnel(
    int vni,
    InetAddress local,
    InetAddress remote,
    int port,
    int outPort,
    long sourceMac,
    long destinationMac,
    int tos,
    boolean dontFragment,
    int mtu) {
  /** What the kernel's device takes for the outer packets unless told otherwise. */
  static final int TTL = 64;

  public Tunnel {
    if (vni < 0 || vni > Vxlan.MAX_VNI || port < 1 || port > 0xFFFF) {
      throw new IllegalArgumentException(
          "VNI %d, port %d; use 24 and 16 bits".formatted(vni, port));
    }
    if (local.getClass() != remote.getClass()) {
      throw new IllegalArgumentException(
          "tunnel from %s to %s; both ends must be of one family"
              .formatted(local.getHostAddress(), remote.getHostAddress()));
    }
  }

  boolean isIpv6() {
    return local instanceof Inet6Address;
  }

  /** Bytes that encapsulation puts before a packet's inner Ethernet header. */
  public int overhead() {
    return overhead(local);
  }

  /** The same for tunnels from an address like {@code local}: 50 or 70. */
  public static int overhead(InetAddress local) {
    return local instanceof Inet6Address ? Template.BYTES_6 : Template.BYTES_4;
  }
}
