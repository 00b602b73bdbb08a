package io.gatun.service;

import io.gatun.ffm.memory.Memory;

/**
 * Highest random weight (Thaler and Ravishankar, 1998): every endpoint bids for the flow, the
 * highest bid wins. What a Maglev table approximates: shares are exact, and when an endpoint goes
 * only its own flows move. It costs a multiplication or two an endpoint, so it is for small sets,
 * which then need no table: 50,000 Services of five endpoints have none.
 */
final class Rendezvous {
  /** About 40 ns; a table's cache miss costs more. */
  static final int MOST = 32;

  private Rendezvous() {}

  /** The number of the winner among {@code count} identities, 16 bytes apart from {@code at} on. */
  static int choose(long at, int count, int hash) {
    long flow = Maglev.mix(hash);
    int winner = 0;
    long highest = Long.MIN_VALUE;
    for (int i = 0; i < count; i++) {
      long bid = Maglev.mix(flow ^ Memory.getLong(at + 16L * i));
      if (bid > highest) {
        highest = bid;
        winner = i;
      }
    }
    return winner;
  }
}
