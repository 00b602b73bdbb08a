package io.gatun.service;

import java.util.Arrays;

/**
 * Maglev's lookup table (Eisenbud et al., NSDI 2016, 3.4): every endpoint walks the table in an
 * order of its own and takes the next free slot in turn, so all get the same share, and a change of
 * the endpoints moves few slots. The table is a function of the endpoints alone: all nodes agree.
 */
final class Maglev {
  /** Primes: at least 100 slots an endpoint keep shares within 1 %, up to a size of 64 Ki. */
  private static final int[] SIZES = {
    211, 307, 409, 503, 1009, 2003, 3001, 5003, 10007, 20011, 40009, 65521
  };

  private Maglev() {}

  /** Slots for {@code endpoints} endpoints; 1 for one, who gets everything. */
  static int size(int endpoints) {
    if (endpoints <= 1) {
      return endpoints;
    }
    for (int size : SIZES) {
      if (size > 100 * endpoints) {
        return size;
      }
    }
    return SIZES[SIZES.length - 1];
  }

  /** The slot of a flow: {@code hash} scaled, not divided. */
  static int slot(int hash, int size) {
    return (int) (((hash & 0xFFFFFFFFL) * size) >>> 32);
  }

  /**
   * The index of the endpoint of each slot.
   *
   * @param identities a 64-bit hash of each endpoint, in an order all nodes agree on
   */
  static int[] table(long[] identities) {
    int n = identities.length;
    int size = size(n);
    int[] table = new int[size];
    Arrays.fill(table, -1);
    int[] position = new int[n];
    int[] skip = new int[n];
    for (int i = 0; i < n; i++) {
      position[i] = (int) Long.remainderUnsigned(identities[i], size);
      skip[i] = size < 3 ? 0 : 1 + (int) Long.remainderUnsigned(mix(identities[i]), size - 1);
    }
    int filled = 0;
    while (filled < size) {
      for (int i = 0; i < n && filled < size; i++) {
        int at = position[i];
        while (table[at] >= 0) {
          at = (at + skip[i]) % size;
        }
        table[at] = i;
        position[i] = (at + skip[i]) % size;
        filled++;
      }
    }
    return table;
  }

  /** SplitMix64's finalizer: the second, independent hash. */
  static long mix(long z) {
    long x = z + 0x9e3779b97f4a7c15L;
    x = (x ^ x >>> 30) * 0xbf58476d1ce4e5b9L;
    x = (x ^ x >>> 27) * 0x94d049bb133111ebL;
    return x ^ x >>> 31;
  }
}
