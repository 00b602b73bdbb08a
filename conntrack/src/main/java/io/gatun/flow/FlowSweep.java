package io.gatun.flow;

/**
 * Looks at every flow once in some seconds, a few with each vector of any worker, and has expired
 * ones removed. Safe for use by many threads: one sweeps, the others return at once.
 */
final class FlowSweep {
  /** Time in which it looks at every flow once. */
  private static final int ROUND_TICKS = Ticks.ofSeconds(4);

  private static final int MOST_AT_ONCE = 512;

  private final FlowTable table;
  private final FlowPool pool;
  private final SpinLocks lock = new SpinLocks(1);
  private int cursor;
  private int sweptAt;
  private int due;
  private int limit;

  FlowSweep(FlowTable table, FlowPool pool) {
    this.table = table;
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
    for (int i = 0; i < batch; i++) {
      if (cursor >= limit) {
        cursor = 0;
      }
      int number = cursor++;
      long flow = pool.address(number);
      if (pool.isLive(number) && table.expired(flow, now)) {
        table.expire(flow, now);
      }
    }
    lock.unlock(0);
  }
}
