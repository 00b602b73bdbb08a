package io.gatun.service;

import java.util.Arrays;

/**
 * Maglev's lookup table (Eisenbud et al., NSDI 2016, 3.4): every endpoint walks the table in an
 * order of its own and takes the next free slot in turn, so all get the same share, and a change of
 * the endpoints moves few slots. The table is a function of the endpoints alone: all nodes agree.
 *
 * <p>Few sizes, far apart, since another size moves nearly every slot. Measured when one endpoint
 * of n goes, share of the others' slots that move: 0.5 % of 65,537 slots at 50 and 0.9 % at 500,
 * 0.3 % of 655,373 at 1,000. Sets of up to {@link Rendezvous#MOST} have no table.
 */
final class Maglev {
  /** Primes; more than 100 slots an endpoint, up to 20,000 of them: then 8 MiB are enough. */
  private static final int[] SIZES = {65_537, 655_373, 2_000_003};

  private Maglev() {}

  /** Slots for {@code endpoints} endpoints. */
  static int size(int endpoints) {
    for (int size : SIZES) {
      if (size > 100 * (long) endpoints) {
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
      skip[i] = 1 + (int) Long.remainderUnsigned(mix(identities[i]), size - 1);
    }
    int filled = 0;
    while (filled < size) {
      for (int i = 0; i < n && filled < size; i++) {
        int at = position[i];
        while (table[at] >= 0) {
          at = next(at, skip[i], size);
        }
        table[at] = i;
        position[i] = next(at, skip[i], size);
        filled++;
      }
    }
    return table;
  }

  /** {@code (at + skip) % size}: both are below {@code size}, so no division. */
  private static int next(int at, int skip, int size) {
    int sum = at + skip;
    return sum >= size ? sum - size : sum;
  }

  /** SplitMix64's finalizer: the second, independent hash. */
  static long mix(long z) {
    long x = z + 0x9e3779b97f4a7c15L;
    x = (x ^ x >>> 30) * 0xbf58476d1ce4e5b9L;
    x = (x ^ x >>> 27) * 0x94d049bb133111ebL;
    return x ^ x >>> 31;
  }
}
