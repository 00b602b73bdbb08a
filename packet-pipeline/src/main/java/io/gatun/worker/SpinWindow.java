package io.gatun.worker;

/**
 * How long an adaptive worker that finds nothing looks on before it sleeps. For the worker's thread
 * only; by the clock, because a cycle costs what its ports cost.
 *
 * <p>To be woken costs 15 to 40 µs. A frame that comes alone, a question or its answer, waits all
 * of them: where such frames follow each other within {@link #MOST} the worker looks that long for
 * the next one; where they come further apart, looking only burns the core, and it is as short as
 * an answer takes to come back through a few stacks. The way of KVM's halt polling: it grows after
 * a sleep that was too short, and shrinks after one that no window would have spared.
 *
 * <p>Where frames come in bursts, all of one share what waking costs, and who sent them did not
 * wait for each: the worker sleeps as soon as a burst is over, as a driver's soft interrupt would
 * end.
 */
final class SpinWindow {
  static final long LEAST = 50_000;
  static final long MOST = 200_000;

  /** A burst is over when nothing came for so long. */
  static final long PAUSE = 10_000;

  /** So much work between two pauses, on average, is a burst. */
  static final int BURST = 16;

  /** A busy hour is one burst, too, and must not count for an hour. */
  private static final int LARGEST = 4 * BURST;

  /** One in so many: how much of the average the last burst is. */
  private static final int SHARE = 8;

  private long nanos = LEAST;

  /** When the pause began; 0 in none. */
  private long since;

  private boolean looking = true;
  private int work;

  /** {@link #SHARE} times the average. */
  private int bursts;

  /** That a cycle did so much: frames received, and given back by the kernel after sending. */
  void worked(int pieces) {
    work += pieces;
    since = 0;
    looking = true;
  }

  /** That a cycle found nothing; whether it is time to sleep. */
  boolean isOver(long now) {
    if (!looking) {
      return true;
    }
    if (since == 0) {
      since = now;
    }
    long idle = now - since;
    if (work != 0 && idle > PAUSE) {
      bursts += Math.min(work, LARGEST) - bursts / SHARE;
      work = 0;
    }
    return idle > nanos();
  }

  private boolean inBursts() {
    return bursts >= SHARE * BURST;
  }

  /** From the beginning of a pause until it is over. */
  long nanos() {
    return inBursts() ? PAUSE : nanos;
  }

  /**
   * That the worker slept until {@code now}.
   *
   * @param came whether something had come, so that it is worth looking for more: else one look is
   *     enough
   */
  void slept(long now, boolean came) {
    if (!inBursts()) {
      nanos = now - since > MOST ? Math.max(LEAST, nanos / 2) : Math.min(MOST, nanos * 2);
    }
    looking = came;
  }
}
