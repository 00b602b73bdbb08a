package io.gatun.service;

import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.stream.LongStream;

/** A few addresses that packets' are compared with. Immutable. */
final class AddressList {
  static final AddressList EMPTY = new AddressList(List.of());

  private final long[] low4;

  /** High and low word of each. */
  private final long[] words6;

  AddressList(Collection<InetAddress> addresses) {
    low4 =
        addresses.stream()
            .filter(address -> !AddressWords.ipv6(address))
            .mapToLong(AddressWords::low)
            .toArray();
    words6 =
        addresses.stream()
            .filter(AddressWords::ipv6)
            .flatMapToLong(
                address -> LongStream.of(AddressWords.high(address), AddressWords.low(address)))
            .toArray();
  }

  boolean contains(boolean ipv6, long high, long low) {
    if (ipv6) {
      for (int i = 0; i < words6.length; i += 2) {
        if (words6[i] == high && words6[i + 1] == low) {
          return true;
        }
      }
      return false;
    }
    for (long own : low4) {
      if (own == low) {
        return true;
      }
    }
    return false;
  }
}
