package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import java.util.Collection;

/** A handful of prefixes of both families, searched one by one. Immutable. */
final class Prefixes {
  static final Prefixes NONE = new Prefixes(new long[0], new int[0]);

  /** Of one prefix in native memory. */
  static final int BYTES = 32;

  /** Four longs a prefix: address high and low, mask high and low. */
  private final long[] words;

  private final int[] family;

  private Prefixes(long[] words, int[] family) {
    this.words = words;
    this.family = family;
  }

  static Prefixes of(Collection<String> prefixes) {
    long[] words = new long[4 * prefixes.size()];
    int[] family = new int[prefixes.size()];
    int n = 0;
    for (String prefix : prefixes) {
      int slash = prefix.indexOf('/');
      if (slash < 0) {
        throw new IllegalArgumentException(
            "got %s, expected an address and a length such as 10.96.0.0/12".formatted(prefix));
      }
      InetAddress address = InetAddress.ofLiteral(prefix.substring(0, slash));
      int length = Integer.parseInt(prefix.substring(slash + 1));
      boolean ipv6 = AddressWords.ipv6(address);
      long high = ipv6 ? ones(Math.min(length, 64)) : 0;
      long low = ipv6 ? ones(Math.max(0, length - 64)) : ones(length + 32);
      words[4 * n] = AddressWords.high(address) & high;
      words[4 * n + 1] = AddressWords.low(address) & low;
      words[4 * n + 2] = high;
      words[4 * n + 3] = low;
      family[n++] = ipv6 ? 6 : 4;
    }
    return new Prefixes(words, family);
  }

  private static long ones(int length) {
    return length == 0 ? 0 : -1L << (64 - length);
  }

  /** Whether there is one of this family at all. */
  boolean has(boolean ipv6) {
    int wanted = ipv6 ? 6 : 4;
    for (int f : family) {
      if (f == wanted) {
        return true;
      }
    }
    return false;
  }

  /** Writes those of one family to {@code at}, four longs each; returns how many. */
  int write(long at, boolean ipv6) {
    int wanted = ipv6 ? 6 : 4;
    int n = 0;
    for (int i = 0; i < family.length; i++) {
      if (family[i] == wanted) {
        for (int k = 0; k < 4; k++) {
          Memory.putLong(at + n * (long) BYTES + 8L * k, words[4 * i + k]);
        }
        n++;
      }
    }
    return n;
  }

  /** Whether one of {@code count} prefixes that {@link #write} wrote has the address. */
  static boolean contain(long at, int count, long high, long low) {
    for (long p = at; p < at + count * (long) BYTES; p += BYTES) {
      if ((high & Memory.getLong(p + 16)) == Memory.getLong(p)
          && (low & Memory.getLong(p + 24)) == Memory.getLong(p + 8)) {
        return true;
      }
    }
    return false;
  }

  boolean contain(boolean ipv6, long high, long low) {
    int wanted = ipv6 ? 6 : 4;
    long[] w = words;
    for (int i = 0; i < family.length; i++) {
      if (family[i] == wanted
          && (high & w[4 * i + 2]) == w[4 * i]
          && (low & w[4 * i + 3]) == w[4 * i + 1]) {
        return true;
      }
    }
    return false;
  }
}
