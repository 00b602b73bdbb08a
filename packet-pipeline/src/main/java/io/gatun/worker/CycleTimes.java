package io.gatun.worker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How long a worker's cycles and their stages took: single writer, many readers, like {@link
 * WorkerCounters}. Cycles that did something are all counted, in a histogram by powers of two; of
 * {@value #SAMPLED} vectors one is timed stage by stage, since reading the clock costs as much as a
 * packet does in some of them.
 */
public final class CycleTimes {
  /** Of so many vectors one is timed stage by stage; a power of two. */
  static final int SAMPLED = 64;

  /** Upper bounds: 1.024 µs, twice as much each, 33.6 ms; and one for what is longer. */
  public static final int BUCKETS = 17;

  private static final int FIRST_BITS = 10;
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

  // A cache line of nothing on both sides.
  private static final int NANOS = 8;
  private static final int PACKETS = NANOS + 1;
  private static final int CYCLES = NANOS + 2;
  private static final int STAGE = CYCLES + BUCKETS;

  private final long[] cells;
  private final int stages;

  CycleTimes(int stages) {
    this.stages = stages;
    cells = new long[STAGE + stages + 8];
  }

  private long read(int cell) {
    return (long) CELL.getOpaque(cells, cell);
  }

  private void add(int cell, long delta) {
    CELL.setOpaque(cells, cell, cells[cell] + delta); // single writer
  }

  /** A cycle that did something took so long. */
  void cycle(long nanos) {
    add(NANOS, nanos);
    add(CYCLES + bucket(nanos), 1);
  }

  static int bucket(long nanos) {
    int bits = Long.SIZE - Long.numberOfLeadingZeros(Math.max(0, nanos - 1));
    return Math.min(BUCKETS - 1, Math.max(0, bits - FIRST_BITS));
  }

  /** A stage of a vector that is timed took so long. */
  void stage(int stage, long nanos) {
    add(STAGE + stage, nanos);
  }

  /** The vector that is timed has so many packets. */
  void vector(int packets) {
    add(PACKETS, packets);
  }

  /** Cycles that took at most {@link #bound}, and more than the bound before. */
  public long cycles(int bucket) {
    return read(CYCLES + bucket);
  }

  /** Nanoseconds; of the last bucket there is none. */
  public static long bound(int bucket) {
    return 1L << FIRST_BITS + bucket;
  }

  /** Nanoseconds of all cycles that did something. */
  public long nanos() {
    return read(NANOS);
  }

  /** Nanoseconds that the stage took of the vectors that were timed. */
  public long stageNanos(int stage) {
    return read(STAGE + stage);
  }

  /** Packets of the vectors that were timed. */
  public long timedPackets() {
    return read(PACKETS);
  }

  public int stages() {
    return stages;
  }
}
