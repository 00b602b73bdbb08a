package io.gatun.ring.xdp;

import io.gatun.ffm.memory.Memory;
import io.gatun.ring.frame.FramePool;

/** Frames that the kernel has sent; owned by the socket's worker. */
public final class CompletionRing extends ConsumerRing {
  private final long base;
  private final Custody custody;

  CompletionRing(RingMemory ring, long base, Custody custody) {
    super(ring);
    this.base = base;
    this.custody = custody;
  }

  /** Gives up to {@code limit} sent frames to {@code pool}; returns how many. */
  public int reclaim(FramePool pool, int limit) {
    int n = peek(limit);
    for (int i = 0; i < n; i++) {
      // The address that was sent, not the start of its frame.
      long address = base + Memory.getLong(entries + (long) ((first + i) & mask) * Long.BYTES);
      custody.back(address);
      pool.give(pool.frameOf(address));
    }
    if (n != 0) {
      releaseEntries(n);
    }
    return n;
  }
}
