package io.gatun.flow;

import static io.gatun.flow.FlowLayout.FLOW_BYTES;

import io.gatun.ffm.memory.GrowingArea;
import io.gatun.ffm.memory.Memory;
import io.gatun.ring.qsbr.Qsbr;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The flows' memory: free ones on a stack, retired ones in a queue until their grace period is
 * over, both linked by words beside the flows, where also stands what only the making and the end
 * of a flow need. Safe for use by many threads, one short lock.
 */
final class FlowPool implements AutoCloseable {
  private static final VarHandle COUNT = MethodHandles.arrayElementVarHandle(int[].class);

  /** Next in the stack or queue, or {@link #LIVE}. */
  private static final int NEXT = 0;

  private static final int RETIRED_AT = 4;

  /** Address of the counter of its endpoint's connections, 0 for none. */
  private static final int LOAD = 8;

  static final int LINK_BYTES = 16;

  private static final int END = -1;
  private static final int LIVE = -2;

  // Counts, which are written with the lock and read by anybody, perhaps a moment later.
  private static final int FLOWS = 0;
  private static final int SPARE = 1;
  private static final int TOUCHED = 2;
  private static final int CAPACITY = 3;

  private final GrowingArea links;
  private final long base;
  private final Qsbr qsbr;
  private final SpinLocks lock = new SpinLocks(1);
  private final int[] counts = new int[4];

  /** Where {@link #touched} is written down for a successor; 0 for nowhere. */
  private final long touchedAt;

  private int free = END;
  private int retiredHead = END;
  private int retiredTail = END;

  /**
   * Flow 0 is at {@code memory}; the highest number in use is kept at {@code touchedAt}, or 0.
   *
   * @param capacity how many there are; {@code most} when all have grown
   */
  FlowPool(long memory, int capacity, int most, Qsbr qsbr, long touchedAt) {
    this.touchedAt = touchedAt;
    this.base = memory;
    this.qsbr = qsbr;
    links =
        GrowingArea.anonymous("flow links", (long) most * LINK_BYTES, (long) capacity * LINK_BYTES);
    count(CAPACITY, capacity);
    count(SPARE, capacity);
  }

  private void count(int what, int change) {
    COUNT.setOpaque(counts, what, counts[what] + change);
  }

  private int count(int what) {
    return (int) COUNT.getOpaque(counts, what);
  }

  /** One thread: there are {@code capacity} flows from now on, whose memory is there. */
  void grow(int capacity) {
    links.grow((long) capacity * LINK_BYTES);
    lock.lock(0);
    int more = capacity - counts[CAPACITY];
    count(CAPACITY, more);
    count(SPARE, more);
    lock.unlock(0);
  }

  /** A flow's address, or 0 when all are taken. */
  long take() {
    lock.lock(0);
    if (free < 0 && counts[TOUCHED] == counts[CAPACITY]) {
      reclaim();
    }
    long flow = 0;
    if (free >= 0) {
      flow = address(free);
      free = Memory.getInt(link(free) + NEXT);
    } else if (counts[TOUCHED] < counts[CAPACITY]) {
      flow = address(counts[TOUCHED]);
      count(TOUCHED, 1);
      if (touchedAt != 0) {
        Memory.putInt(touchedAt, counts[TOUCHED]);
      }
    }
    if (flow != 0) {
      count(FLOWS, 1);
      count(SPARE, -1);
    }
    lock.unlock(0);
    return flow;
  }

  /**
   * Takes over what a predecessor left, before anybody uses the pool: the next number, downwards.
   */
  void adopt(int number, boolean isLive) {
    int before = counts[TOUCHED];
    count(TOUCHED, Math.max(0, number + 1 - before));
    count(SPARE, before - counts[TOUCHED]);
    if (isLive) {
      load(address(number), 0);
      publish(address(number));
      count(FLOWS, 1);
    } else {
      push(number);
    }
  }

  /** From now on {@link #isLive}; pairs with it: who sees that sees what was written before. */
  void publish(long flow) {
    Memory.putIntRelease(link(number(flow)) + NEXT, LIVE);
  }

  void load(long flow, long counter) {
    Memory.putLong(link(number(flow)) + LOAD, counter);
  }

  long load(long flow) {
    return Memory.getLong(link(number(flow)) + LOAD);
  }

  boolean isLive(int number) {
    return Memory.getIntAcquire(link(number) + NEXT) == LIVE;
  }

  /** Gives back a flow that no reader has ever been able to find. */
  void untake(long flow) {
    lock.lock(0);
    push(number(flow));
    count(FLOWS, -1);
    lock.unlock(0);
  }

  /** Gives back a flow that readers may still hold: it comes up again after a grace period. */
  void retire(long flow) {
    int number = number(flow);
    Memory.putIntRelease(link(number) + NEXT, END);
    long stamp = qsbr.advance();
    lock.lock(0);
    Memory.putInt(link(number) + RETIRED_AT, (int) stamp);
    if (retiredTail >= 0) {
      Memory.putInt(link(retiredTail) + NEXT, number);
    } else {
      retiredHead = number;
    }
    retiredTail = number;
    count(FLOWS, -1);
    lock.unlock(0);
  }

  /** Frees retired flows whose grace period is over. */
  void collect() {
    lock.lock(0);
    reclaim();
    lock.unlock(0);
  }

  private void reclaim() {
    while (retiredHead >= 0) {
      int number = retiredHead;
      if (!qsbr.passed(Memory.getInt(link(number) + RETIRED_AT))) {
        return;
      }
      retiredHead = Memory.getInt(link(number) + NEXT);
      if (retiredHead < 0) {
        retiredTail = END;
      }
      push(number);
    }
  }

  private void push(int number) {
    Memory.putInt(link(number) + NEXT, free);
    free = number;
    count(SPARE, 1);
  }

  /** Flows in use, retired ones excluded. */
  int live() {
    return count(FLOWS);
  }

  /** Flows that could be taken at this moment; retired ones are not among them yet. */
  int spare() {
    return count(SPARE);
  }

  /** No flow at or above this number was ever used. */
  int touched() {
    return count(TOUCHED);
  }

  /** How many there are, whether in use or not. */
  int capacity() {
    return count(CAPACITY);
  }

  private long link(int number) {
    return links.address() + (long) number * LINK_BYTES;
  }

  long address(int number) {
    return base + (long) number * FLOW_BYTES;
  }

  /** Of its original direction; the reply's is one more. */
  int entryNumber(long flow) {
    return 2 + 2 * number(flow);
  }

  int number(long flow) {
    return (int) ((flow - base) / FLOW_BYTES);
  }

  @Override
  public void close() {
    links.close();
  }
}
