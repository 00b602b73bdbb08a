package io.gatun.perf;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.IntSupplier;

/**
 * Times the same work in short rounds and takes the median: a round that lost the core to somebody
 * else does not count. One thread.
 */
final class Rounds {
  private static final int MOST = 1 << 18;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final int packetsPerRound;
  private final double[] samples = new double[MOST];
  private long allocated;

  /** Rounds of at least so many packets: enough that reading the clock does not matter. */
  Rounds(int packetsPerRound) {
    this.packetsPerRound = packetsPerRound;
  }

  /**
   * Does {@code work}, which returns how many packets it was, again and again for {@code nanos};
   * returns the median of nanoseconds a packet.
   */
  double run(IntSupplier work, long nanos) {
    int rounds = 0;
    long before = THREADS.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    long now = start;
    while (now - start < nanos && rounds < MOST) {
      int packets = 0;
      while (packets < packetsPerRound) {
        packets += work.getAsInt();
      }
      long end = System.nanoTime();
      samples[rounds++] = (double) (end - now) / packets;
      now = end;
    }
    allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    Arrays.sort(samples, 0, rounds);
    return samples[rounds / 2];
  }

  /** Bytes that this thread allocated during the last run. */
  long allocated() {
    return allocated;
  }
}
