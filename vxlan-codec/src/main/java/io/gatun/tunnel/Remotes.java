package io.gatun.tunnel;

import java.util.Collection;

/**
 * Tunnel numbers by remote address and VNI: open addressing, at most half full, each entry within a
 * cache line. Immutable.
 */
final class Remotes {
  private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L; // 2^64 / golden ratio

  /** Longs an entry: address, high and low; {@code VNI << 32 | number}; one free. */
  private static final int STRIDE = 4;

  private static final int LOW = 1;
  private static final int REST = 2;

  private final int mask;
  private final long[] entries;

  Remotes(Collection<Remote> remotes) {
    int slots = Integer.highestOneBit(Math.max(1, remotes.size()) * 2 - 1) << 1;
    mask = slots - 1;
    entries = new long[slots * STRIDE];
    for (Remote remote : remotes) {
      long h = Words.high(remote.address());
      long l = Words.low(remote.address());
      int at = home(h, l);
      while (number(entries[at * STRIDE + REST]) != 0) {
        at = at + 1 & mask;
      }
      entries[at * STRIDE] = h;
      entries[at * STRIDE + LOW] = l;
      entries[at * STRIDE + REST] = (long) remote.vni() << Integer.SIZE | remote.number();
    }
  }

  private int home(long h, long l) {
    return (int) ((h ^ l) * SPREAD >>> 40) & mask;
  }

  private static int number(long rest) {
    return (int) rest;
  }

  /** 0 when it is nobody's. */
  int find(long high, long low, int vni) {
    long[] all = entries;
    int at = home(high, low);
    while (true) {
      int entry = at * STRIDE;
      long rest = all[entry + REST];
      if (number(rest) == 0
          || (all[entry + LOW] == low
              && all[entry] == high
              && (int) (rest >>> Integer.SIZE) == vni)) {
        return number(rest);
      }
      at = at + 1 & mask;
    }
  }
}
