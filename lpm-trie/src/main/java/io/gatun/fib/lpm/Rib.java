package io.gatun.fib.lpm;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All prefixes and their next hops as they were given: what the lookup table is made from. Used by
 * the writer only.
 */
final class Rib {
  private final Map<Prefix, Integer> nextHops = new HashMap<>();

  /** How many prefixes of each length there are: lengths nobody uses are not probed. */
  private final int[] ofLength = new int[129];

  int size() {
    return nextHops.size();
  }

  void put(Prefix prefix, int nextHop) {
    if (nextHops.put(prefix, nextHop) == null) {
      ofLength[prefix.length()]++;
    }
  }

  /** True when it was there. */
  boolean remove(Prefix prefix) {
    if (nextHops.remove(prefix) == null) {
      return false;
    }
    ofLength[prefix.length()]--;
    return true;
  }

  /** Next hop of exactly this prefix, 0 for none. */
  int nextHop(Prefix prefix) {
    return nextHops.getOrDefault(prefix, 0);
  }

  /** The longest prefix that is shorter than {@code prefix} and contains it; null for none. */
  @Nullable Prefix covering(Prefix prefix) {
    for (int length = prefix.length() - 1; length >= 0; length--) {
      if (ofLength[length] != 0) {
        Prefix candidate = prefix.shortenedTo(length);
        if (nextHops.containsKey(candidate)) {
          return candidate;
        }
      }
    }
    return null;
  }
}
