package io.gatun.flow;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/** Addresses as the data path has them: two longs; IPv4 in the low one, unsigned 32 bits. */
public final class AddressWords {
  private AddressWords() {}

  /** The address of two words. */
  public static InetAddress address(boolean ipv6, long high, long low) {
    ByteBuffer bytes = ByteBuffer.allocate(ipv6 ? 16 : 4);
    if (ipv6) {
      bytes.putLong(high).putLong(low);
    } else {
      bytes.putInt((int) low);
    }
    try {
      return InetAddress.getByAddress(bytes.array());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 or 16 bytes are an address", e);
    }
  }

  public static boolean ipv6(InetAddress address) {
    return address.getAddress().length == 16;
  }

  public static long high(InetAddress address) {
    return ipv6(address) ? ByteBuffer.wrap(address.getAddress()).getLong() : 0;
  }

  public static long low(InetAddress address) {
    ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
    return ipv6(address) ? bytes.getLong(8) : bytes.getInt() & 0xFFFFFFFFL;
  }
}
