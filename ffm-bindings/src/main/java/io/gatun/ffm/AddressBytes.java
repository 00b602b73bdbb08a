package io.gatun.ffm;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** Addresses from the bytes that the kernel has them in: attributes, keys of maps. Stateless. */
public final class AddressBytes {
  private AddressBytes() {}

  /** 4 or 16 bytes; sixteen stay IPv6, also where InetAddress would make ::ffff:0:0/96 IPv4. */
  public static InetAddress of(byte[] bytes) {
    try {
      return bytes.length == 16
          ? Inet6Address.getByAddress(null, bytes, -1)
          : InetAddress.getByAddress(bytes);
    } catch (UnknownHostException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
