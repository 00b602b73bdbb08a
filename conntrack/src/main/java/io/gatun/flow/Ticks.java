package io.gatun.flow;

/**
 * The coarse clock of flows: units of 2^28 ns (268 ms) of CLOCK_MONOTONIC, so that an entry's
 * last-seen is written at most four times a second. Wraps after 36 years.
 */
public final class Ticks {
  private static final int SHIFT = 28;

  private Ticks() {}

  public static int ofNanos(long nanos) {
    return (int) (nanos >> SHIFT);
  }

  static int toSeconds(int ticks) {
    return (int) (((long) ticks << SHIFT) / 1_000_000_000L);
  }

  public static int ofSeconds(int seconds) {
    return (int) ((seconds * 1_000_000_000L) >> SHIFT);
  }
}
