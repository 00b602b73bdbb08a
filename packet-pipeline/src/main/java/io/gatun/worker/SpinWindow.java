package io.gatun.worker;

/**
 * How long an adaptive worker looks for work before it sleeps. To be woken costs a frame 15 to 40
 * µs, so where frames follow each other within {@link #MOST} it waits that long for the next one;
 * where they come further apart, waiting only burns the core, and it is as short as an answer takes
 * to come back through a few stacks. The way of KVM's halt polling: it grows after a sleep that was
 * too short, and shrinks after one that no window would have spared. For the worker's thread only.
 */
final class SpinWindow {
  static final long LEAST = 50_000;
  static final long MOST = 200_000;

  private long nanos = LEAST;

  /** By the clock, because a cycle costs what its ports cost. */
  long nanos() {
    return nanos;
  }

  /**
   * That the worker had to sleep.
   *
   * @param idleNanos since it last had work, the spinning included
   */
  void slept(long idleNanos) {
    nanos = idleNanos > MOST ? Math.max(LEAST, nanos / 2) : Math.min(MOST, nanos * 2);
  }
}
