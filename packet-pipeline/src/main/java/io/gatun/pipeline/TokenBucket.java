package io.gatun.pipeline;

/**
 * Lets through {@code perSecond} events a second and bursts of {@code burst}. Owned by one thread;
 * allocates nothing. Time is the caller's, in nanoseconds of any monotonic clock.
 */
public final class TokenBucket {
  private final long interval;
  private final long full;
  private long credit;
  private long last;

  /** Starts full at time {@code now}. */
  public TokenBucket(int perSecond, int burst, long now) {
    if (perSecond < 1 || burst < 1) {
      throw new IllegalArgumentException(
          "rate " + perSecond + "/s, burst " + burst + ": give both at least 1");
    }
    interval = 1_000_000_000L / perSecond;
    full = interval * burst;
    credit = full;
    last = now;
  }

  /** Takes one token if there is one. A clock that goes backwards gives none. */
  public boolean take(long now) {
    long passed = now - last;
    if (passed > 0) {
      // Compared before it is added: after a long silence the sum could overflow.
      credit = passed >= full - credit ? full : credit + passed;
      last = now;
    }
    if (credit < interval) {
      return false;
    }
    credit -= interval;
    return true;
  }
}
