package io.gatun.flow;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;

/**
 * Makes the flows that a dead process left in the file findable again. One thread, before any
 * worker runs.
 */
final class FlowRecovery {
  private final FlowInsertion insertion;
  private final FlowRemoval removal;
  private final FlowIndex index;
  private final FlowPool pool;
  private final FlowCounts counts;

  FlowRecovery(
      FlowInsertion insertion,
      FlowRemoval removal,
      FlowIndex index,
      FlowPool pool,
      FlowCounts counts) {
    this.insertion = insertion;
    this.removal = removal;
    this.index = index;
    this.pool = pool;
    this.counts = counts;
  }

  /** Of the first {@code touched} flows in the file, those that are whole and have not expired. */
  void all(int touched) {
    int now = Ticks.ofNanos(Libc.monotonicNanos());
    for (int number = touched - 1; number >= 0; number--) {
      pool.adopt(number, revive(pool.address(number), now));
    }
  }

  /** False when it is not whole, or another flow has its keys. */
  private boolean revive(long flow, int now) {
    NewFlow f = new NewFlow(); // IPv4 relies on halves that are 0
    if (!Revival.read(flow, f, now) || removal.expired(flow, now)) {
      return false;
    }
    int replyHash = f.replyHash();
    if (insertion.clashes(f, replyHash)) {
      return false;
    }
    Revival.complete(flow, f);
    long reply = index.reserve(replyHash);
    if (reply == 0) {
      return false;
    }
    int number = pool.entryNumber(flow);
    Memory.putIntRelease(reply, number + 1);
    long original = index.reserve(f.hash);
    if (original == 0) {
      index.clear(replyHash, number + 1);
      return false;
    }
    Memory.putIntRelease(original, number);
    counts.count(flow, 1);
    return true;
  }
}
