package io.gatun.tunnel;

import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/** Addresses as two longs: of IPv4 the high one is 0, the low one unsigned. Stateless. */
final class Words {
  private Words() {}

  static boolean isIpv6(InetAddress address) {
    return address instanceof Inet6Address;
  }

  /** First 8 bytes of an IPv6 address, 0 for IPv4. */
  static long high(InetAddress address) {
    return isIpv6(address) ? ByteBuffer.wrap(address.getAddress()).getLong() : 0;
  }

  /** Last 8 bytes of an IPv6 address, or the 4 of an IPv4 one. */
  static long low(InetAddress address) {
    ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
    return isIpv6(address) ? bytes.getLong(8) : bytes.getInt() & 0xFFFF_FFFFL;
  }

  static long sourceHigh(long l3, boolean six) {
    return six ? Ipv6.sourceHigh(l3) : 0;
  }

  static long sourceLow(long l3, boolean six) {
    return six ? Ipv6.sourceLow(l3) : Ipv4.source(l3) & 0xFFFF_FFFFL;
  }

  static long destinationHigh(long l3, boolean six) {
    return six ? Ipv6.destinationHigh(l3) : 0;
  }

  static long destinationLow(long l3, boolean six) {
    return six ? Ipv6.destinationLow(l3) : Ipv4.destination(l3) & 0xFFFF_FFFFL;
  }
}
