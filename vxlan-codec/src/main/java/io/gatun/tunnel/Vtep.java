package io.gatun.tunnel;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * Where tunnels to this node end. Immutable.
 *
 * @param address the node's own, destination of the outer packets
 * @param port UDP destination port
 * @param mac of the device, 48 bits: inner frames to it are ours, others the kernel's
 */
public record Vtep(InetAddress address, int port, int vni, long mac) {
  boolean isIpv6() {
    return address instanceof Inet6Address;
  }

  /** First 8 bytes of an IPv6 address, 0 for IPv4. */
  long high() {
    return isIpv6() ? ByteBuffer.wrap(address.getAddress()).getLong() : 0;
  }

  /** Last 8 bytes of an IPv6 address, or the 4 of an IPv4 one. */
  long low() {
    ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
    return isIpv6() ? bytes.getLong(8) : bytes.getInt() & 0xFFFF_FFFFL;
  }
}
