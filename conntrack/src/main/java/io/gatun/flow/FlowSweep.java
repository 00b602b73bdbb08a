package io.gatun.flow;

import static io.gatun.flow.FlowLayout.LINE;

import io.gatun.ffm.memory.Prefetch;
import java.lang.foreign.MemorySegment;

/**
 * Looks at every flow once in some seconds, a few with each vector of any worker, and has expired
 * ones removed. Safe for use by many threads: one sweeps, the others return at once.
 */
final class FlowSweep {
  /** Time in which it looks at every flow once. */
  private static final int ROUND_TICKS = Ticks.ofSeconds(4);

  private static final int MOST_AT_ONCE = 512;

  /** Flows that are looked at before the expired ones among them are removed. */
  private static final int PART = 64;

  private final FlowRemoval removal;
  private final FlowIndex index;
  private final FlowPool pool;
  private final SpinLocks lock = new SpinLocks(1);
  private int cursor;
  private int sweptAt;
  private int due;
  private int limit;

  private final long[] expired = new long[PART];

  /** Of their buckets, two each: asked for all at once, for they are what a removal waits for. */
  private final long[] line = new long[2 * PART];

  private final MemorySegment lines = MemorySegment.ofArray(line);

  FlowSweep(FlowRemoval removal, FlowIndex index, FlowPool pool) {
    this.removal = removal;
    this.index = index;
    this.pool = pool;
  }

  /** The tick of the last sweep. */
  int sweptAt() {
    return sweptAt;
  }

  /**
   * Looks at as many flows as are due since the last call, removes expired ones and frees retired
   * ones.
   */
  void sweep(int now) {
    if (!lock.tryLock(0)) {
      return;
    }
    int elapsed = now - sweptAt;
    if (elapsed != 0) {
      sweptAt = now;
      pool.collect();
      int touched = pool.touched();
      int share = (int) Math.min(touched, (long) touched * elapsed / ROUND_TICKS + 1);
      due = Math.min(touched, Math.max(share, 0) + due);
      limit = touched;
    }
    int batch = Math.min(due, MOST_AT_ONCE);
    due -= batch;
    for (int left = batch; left > 0; left -= PART) {
      int found = look(Math.min(left, PART), now);
      if (found > 0) {
        Prefetch.lines(lines, 0, 2 * found);
      }
      for (int k = 0; k < found; k++) {
        removal.expire(expired[k], now);
      }
    }
    lock.unlock(0);
  }

  /** Fills {@link #expired} and {@link #line}; returns how many of the next flows are expired. */
  private int look(int flows, int now) {
    int found = 0;
    for (int i = 0; i < flows; i++) {
      if (cursor >= limit) {
        cursor = 0;
      }
      int number = cursor++;
      long flow = pool.address(number);
      if (pool.isLive(number) && removal.expired(flow, now)) {
        expired[found] = flow;
        line[2 * found] = index.home(FlowIndex.hash(flow));
        line[2 * found + 1] = index.home(FlowIndex.hash(flow + LINE));
        found++;
      }
    }
    return found;
  }
}
