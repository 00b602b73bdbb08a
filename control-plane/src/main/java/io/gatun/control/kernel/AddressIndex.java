package io.gatun.control.kernel;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HashSet;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Addresses that devices know a neighbour by, in order, so that a prefix finds its own. */
final class AddressIndex {
  private final TreeMap<byte[], Set<Integer>> ipv4 = new TreeMap<>(Arrays::compareUnsigned);
  private final TreeMap<byte[], Set<Integer>> ipv6 = new TreeMap<>(Arrays::compareUnsigned);

  void add(InetAddress address, int device) {
    of(address).computeIfAbsent(address.getAddress(), _ -> new HashSet<>()).add(device);
  }

  void remove(InetAddress address, int device) {
    Set<Integer> devices = of(address).get(address.getAddress());
    if (devices != null && devices.remove(device) && devices.isEmpty()) {
      of(address).remove(address.getAddress());
    }
  }

  /** Every address inside {@code prefix}. */
  void within(Prefix prefix, Consumer<InetAddress> consumer) {
    byte[] first = prefix.address().getAddress();
    byte[] last = first.clone();
    for (int i = 0; i < last.length; i++) {
      int kept = Math.clamp(prefix.length() - 8L * i, 0, 8);
      last[i] |= (byte) (0xff >>> kept);
    }
    of(prefix.address())
        .subMap(first, true, last, true)
        .keySet()
        .forEach(bytes -> consumer.accept(Addresses.of(bytes)));
  }

  private NavigableMap<byte[], Set<Integer>> of(InetAddress address) {
    return Addresses.isIpv6(address) ? ipv6 : ipv4;
  }
}
