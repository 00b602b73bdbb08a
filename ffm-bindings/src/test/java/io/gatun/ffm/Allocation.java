package io.gatun.ffm;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/** What code allocates once it is compiled, for the tests of every module. */
public final class Allocation {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** The compilers of a busy machine have taken minutes. */
  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(5);

  private Allocation() {}

  /**
   * Bytes that this thread allocates in the best of as many rounds as it takes, 0 being the best
   * there is.
   *
   * <p>What {@code round} itself allocates, it allocates in every one. What the interpreter
   * allocates until everything is compiled, and the JVM while it links, it does not.
   */
  public static long ofBest(Runnable round) {
    long best = Long.MAX_VALUE;
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (best != 0 && System.nanoTime() < deadline) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      round.run();
      best = Math.min(best, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return best;
  }
}
