package io.gatun.flow;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;

/** Addresses as the data path has them: two longs; IPv4 in the low one, unsigned 32 bits. */
public final class AddressWords {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private AddressWords() {}

  /** The address of two words. */
  public static InetAddress address(boolean ipv6, long high, long low) {
    byte[] bytes = new byte[ipv6 ? 16 : 4];
    if (ipv6) {
      LONG.set(bytes, 0, high);
      LONG.set(bytes, 8, low);
    } else {
      INT.set(bytes, 0, (int) low);
    }
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 or 16 bytes are an address", e);
    }
  }

  public static boolean ipv6(InetAddress address) {
    return address instanceof Inet6Address;
  }

  public static long high(InetAddress address) {
    return ipv6(address) ? (long) LONG.get(address.getAddress(), 0) : 0;
  }

  public static long low(InetAddress address) {
    byte[] bytes = address.getAddress();
    return bytes.length == 4 ? (int) INT.get(bytes, 0) & 0xFFFFFFFFL : (long) LONG.get(bytes, 8);
  }
}
