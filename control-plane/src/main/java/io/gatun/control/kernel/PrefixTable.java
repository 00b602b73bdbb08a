package io.gatun.control.kernel;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Values by prefix, found exactly or by the longest that contains an address; for one thread. */
final class PrefixTable<T> {
  private final Map<Prefix, T> values = new HashMap<>();
  private final int[] lengths4 = new int[33];
  private final int[] lengths6 = new int[129];

  /** Puts {@code value}, null to remove; returns what was there. */
  @Nullable T set(Prefix prefix, @Nullable T value) {
    T before = value == null ? values.remove(prefix) : values.put(prefix, value);
    lengths(prefix.address())[prefix.length()] +=
        (value == null ? 0 : 1) - (before == null ? 0 : 1);
    return before;
  }

  @Nullable T get(Prefix prefix) {
    return values.get(prefix);
  }

  Set<Map.Entry<Prefix, T>> entries() {
    return values.entrySet();
  }

  int size() {
    return values.size();
  }

  /** The longest prefix that contains {@code address} and is no longer than {@code longest}. */
  Map.@Nullable Entry<Prefix, T> lookup(InetAddress address, int longest) {
    int[] lengths = lengths(address);
    for (int length = Math.min(longest, lengths.length - 1); length >= 0; length--) {
      if (lengths[length] != 0) {
        Prefix prefix = new Prefix(address, length);
        T value = values.get(prefix);
        if (value != null) {
          return Map.entry(prefix, value);
        }
      }
    }
    return null;
  }

  private int[] lengths(InetAddress address) {
    return Addresses.isIpv6(address) ? lengths6 : lengths4;
  }
}
