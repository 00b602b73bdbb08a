package io.gatun.flow;

import static io.gatun.flow.FlowLayout.FLOW_BYTES;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.LIVE;
import static io.gatun.flow.FlowLayout.NEXT;
import static io.gatun.flow.FlowLayout.RETIRED_AT;

import io.gatun.ffm.memory.Memory;
import io.gatun.ring.qsbr.Qsbr;

/**
 * The flows' memory: free ones on a stack, retired ones in a queue until their grace period is
 * over, both linked through the shared lines. Safe for use by many threads, one short lock.
 */
final class FlowPool {
  private final long base;
  private final int capacity;
  private final Qsbr qsbr;
  private final SpinLocks lock = new SpinLocks(1);

  private int touched;
  private int live;
  private int free = -1;
  private int retiredHead = -1;
  private int retiredTail = -1;

  FlowPool(long memory, int capacity, Qsbr qsbr) {
    this.base = memory;
    this.capacity = capacity;
    this.qsbr = qsbr;
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
      free = Memory.getInt(flow + 2 * LINE + NEXT);
      live++;
    } else if (touched < capacity) {
      flow = address(touched++);
      live++;
    }
    lock.unlock(0);
    return flow;
  }

  /** Gives back a flow that no reader has ever been able to find. */
  void untake(long flow) {
    lock.lock(0);
    push(flow);
    live--;
    lock.unlock(0);
  }

  /** Gives back a flow that readers may still hold: it comes up again after a grace period. */
  void retire(long flow) {
    Memory.putIntRelease(flow + 2 * LINE + LIVE, 0);
    long stamp = qsbr.advance();
    lock.lock(0);
    long shared = flow + 2 * LINE;
    Memory.putLong(shared + RETIRED_AT, stamp);
    Memory.putInt(shared + NEXT, -1);
    int number = number(flow);
    if (retiredTail >= 0) {
      Memory.putInt(address(retiredTail) + 2 * LINE + NEXT, number);
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
      long flow = address(retiredHead);
      if (!qsbr.passed(Memory.getLong(flow + 2 * LINE + RETIRED_AT))) {
        return;
      }
      retiredHead = Memory.getInt(flow + 2 * LINE + NEXT);
      if (retiredHead < 0) {
        retiredTail = -1;
      }
      push(flow);
    }
  }

  private void push(long flow) {
    Memory.putInt(flow + 2 * LINE + NEXT, free);
    free = number(flow);
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

  long address(int number) {
    return base + (long) number * FLOW_BYTES;
  }

  int number(long flow) {
    return (int) ((flow - base) / FLOW_BYTES);
  }
}
