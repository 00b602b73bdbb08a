package io.gatun.flow;

import io.gatun.ffm.memory.Prefetch;
import java.lang.foreign.MemorySegment;

/**
 * What insertions will wait for: the buckets of replies, which no packet has asked for yet. Whoever
 * has several flows to insert {@link #add}s them, asks for all at once and then inserts. Owned by
 * one worker.
 */
public final class ReplyLines {
  private final FlowIndex index;
  private final long[] line;
  private final MemorySegment lines;
  private int count;

  ReplyLines(FlowIndex index, int most) {
    this.index = index;
    line = new long[most];
    lines = MemorySegment.ofArray(line);
  }

  /** {@code f} is all that the insertion will be of. */
  public void add(NewFlow f) {
    line[count++] = index.home(f.replyHash());
  }

  /** Asks for what was added, and forgets it. */
  public void ask() {
    if (count > 0) {
      Prefetch.lines(lines, 0, count);
      count = 0;
    }
  }
}
