package io.gatun.flow;

import static io.gatun.flow.FlowLayout.FLOW_BYTES;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ring.qsbr.Qsbr;

/**
 * The flows' memory: free ones on a stack, retired ones in a queue until their grace period is
 * over, both linked by words beside the flows, where also stands what only the making and the end
 * of a flow need. Safe for use by many threads, one short lock.
 */
final class FlowPool implements AutoCloseable {
  /** Next in the stack or queue, or {@link #LIVE}. */
  private static final int NEXT = 0;

  private static final int RETIRED_AT = 4;

  /** Address of the counter of its endpoint's connections, 0 for none. */
  private static final int LOAD = 8;

  static final int LINK_BYTES = 16;

  private static final int END = -1;
  private static final int LIVE = -2;

  private final NativeArea links;
  private final long base;
  private final int capacity;
  private final Qsbr qsbr;
  private final SpinLocks lock = new SpinLocks(1);

  /** Where {@link #touched} is written down for a successor; 0 for nowhere. */
  private final long touchedAt;

  private int touched;
  private int live;
  private int free = END;
  private int retiredHead = END;
  private int retiredTail = END;

  /** Flow 0 is at {@code memory}; the highest number in use is kept at {@code touchedAt}, or 0. */
  FlowPool(long memory, int capacity, Qsbr qsbr, long touchedAt) {
    this.touchedAt = touchedAt;
    this.base = memory;
    this.capacity = capacity;
    this.qsbr = qsbr;
    links = NativeArea.map("flow links", (long) capacity * LINK_BYTES);
  }

  /** A flow's address, or 0 when all are taken. */
  long take() {
    lock.lock(0);
    if (free < 0 && touched == capacity) {
      reclaim();
    }
    long flow = 0;
    if (free >= 0) {
      flow = address(free);
      free = Memory.getInt(link(free) + NEXT);
      live++;
    } else if (touched < capacity) {
      flow = address(touched++);
      if (touchedAt != 0) {
        Memory.putInt(touchedAt, touched);
      }
      live++;
    }
    lock.unlock(0);
    return flow;
  }

  /**
   * Takes over what a predecessor left, before anybody uses the pool: the next number, downwards.
   */
  void adopt(int number, boolean isLive) {
    touched = Math.max(touched, number + 1);
    if (isLive) {
      load(address(number), 0);
      publish(address(number));
      live++;
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
    live--;
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
    live--;
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
  }

  /** Flows in use, retired ones excluded; at most a moment old. */
  int live() {
    lock.lock(0);
    int n = live;
    lock.unlock(0);
    return n;
  }

  /** No flow at or above this number was ever used. */
  int touched() {
    lock.lock(0);
    int n = touched;
    lock.unlock(0);
    return n;
  }

  private long link(int number) {
    return links.address() + (long) number * LINK_BYTES;
  }

  long address(int number) {
    return base + (long) number * FLOW_BYTES;
  }

  int number(long flow) {
    return (int) ((flow - base) / FLOW_BYTES);
  }

  @Override
  public void close() {
    links.close();
  }
}
