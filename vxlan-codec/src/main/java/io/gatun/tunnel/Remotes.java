package io.gatun.tunnel;

import java.util.Collection;

/** Tunnel numbers by remote address and VNI: open addressing, at most half full. Immutable. */
final class Remotes {
  private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L; // 2^64 / golden ratio

  private final int mask;
  private final long[] high;
  private final long[] low;
  private final int[] vni;
  private final int[] number;

  Remotes(Collection<Remote> remotes) {
    int slots = Integer.highestOneBit(Math.max(1, remotes.size()) * 2 - 1) << 1;
    mask = slots - 1;
    high = new long[slots];
    low = new long[slots];
    vni = new int[slots];
    number = new int[slots];
    for (Remote remote : remotes) {
      long h = Words.high(remote.address());
      long l = Words.low(remote.address());
      int at = home(h, l);
      while (number[at] != 0) {
        at = at + 1 & mask;
      }
      high[at] = h;
      low[at] = l;
      vni[at] = remote.vni();
      number[at] = remote.number();
    }
  }

  private int home(long h, long l) {
    return (int) ((h ^ l) * SPREAD >>> 40) & mask;
  }

  /** 0 when it is nobody's. */
  int find(long wantedHigh, long wantedLow, int wantedVni) {
    int at = home(wantedHigh, wantedLow);
    while (number[at] != 0) {
      if (low[at] == wantedLow && high[at] == wantedHigh && vni[at] == wantedVni) {
        return number[at];
      }
      at = at + 1 & mask;
    }
    return 0;
  }
}
