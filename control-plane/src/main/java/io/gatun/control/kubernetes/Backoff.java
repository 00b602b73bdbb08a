package io.gatun.control.kubernetes;

import java.util.random.RandomGenerator;

/**
 * How long to wait before asking again: doubling from try to try, each drawn between half of it and
 * all, so that a thousand nodes do not come back in step. For one thread.
 */
final class Backoff {
  private final long firstMillis;
  private final long mostMillis;
  private final RandomGenerator random;
  private long next;

  Backoff(long firstMillis, long mostMillis, RandomGenerator random) {
    this.firstMillis = firstMillis;
    this.mostMillis = mostMillis;
    this.random = random;
    this.next = firstMillis;
  }

  /** Milliseconds, at least those that the server asked for. */
  long nextMillis(long atLeast) {
    long now = next;
    next = Math.min(mostMillis, 2 * next);
    return Math.max(atLeast, now / 2 + random.nextLong(now / 2 + 1));
  }

  /** It works again. */
  void reset() {
    next = firstMillis;
  }
}
