package io.gatun.service;

import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import java.util.Collection;

/** The prefixes that Service addresses come from. Immutable; a handful, so searched one by one. */
final class ServiceCidrs {
  static final ServiceCidrs NONE = new ServiceCidrs(new long[0], new int[0]);

  /** Four longs a prefix: address high and low, mask high and low. */
  private final long[] words;

  private final int[] family;

  private ServiceCidrs(long[] words, int[] family) {
    this.words = words;
    this.family = family;
  }

  static ServiceCidrs of(Collection<String> prefixes) {
    long[] words = new long[4 * prefixes.size()];
    int[] family = new int[prefixes.size()];
    int n = 0;
    for (String prefix : prefixes) {
      int slash = prefix.indexOf('/');
      if (slash < 0) {
        throw new IllegalArgumentException(
            "serviceCIDRs has %s, expected an address and a length such as 10.96.0.0/12"
                .formatted(prefix));
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
    return new ServiceCidrs(words, family);
  }

  private static long ones(int length) {
    return length == 0 ? 0 : -1L << (64 - length);
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
