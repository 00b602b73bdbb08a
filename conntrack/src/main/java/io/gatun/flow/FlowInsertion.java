package io.gatun.flow;

import static io.gatun.flow.FlowLayout.DIRECTION;
import static io.gatun.flow.FlowLayout.FLOW_BYTES;
import static io.gatun.flow.FlowLayout.LAST_SEEN;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.WATCHED;

import io.gatun.ffm.memory.Memory;
import java.lang.invoke.VarHandle;

/**
 * How flows come into the table: both directions or neither, found by nobody before they are whole.
 * Safe for use by many threads, which are between two quiescent points.
 */
final class FlowInsertion {
  private final FlowIndex index;
  private final FlowPool pool;
  private final FlowCounts counts;

  FlowInsertion(FlowIndex index, FlowPool pool, FlowCounts counts) {
    this.index = index;
    this.pool = pool;
    this.counts = counts;
  }

  /** See {@link FlowTable#insert}. */
  long insert(NewFlow f, int tick) {
    int hash = f.hash;
    int replyHash = f.replyHash();
    index.lock(hash, replyHash);
    long result = insertLocked(f, hash, replyHash, tick);
    index.unlock(hash, replyHash);
    return result;
  }

  private long insertLocked(NewFlow f, int hash, int replyHash, int tick) {
    f.inserted = false;
    long key = f.key();
    long known = original(f, hash, key);
    if (known != 0) {
      return known;
    }
    if (reply(f, replyHash) != 0 || selfReplying(f)) {
      return FlowTable.CLASH;
    }
    long flow = pool.take();
    if (flow == 0) {
      return FlowTable.FULL;
    }
    write(flow, f, tick);
    // Both slots before either is published; the two may be the same bucket, so the first is
    // held by its number before the second is looked for. The reply comes first: an original
    // entry that can be found has a reply that can be found.
    long reply = index.reserve(replyHash);
    if (reply == 0) {
      pool.untake(flow);
      return FlowTable.FULL;
    }
    int number = pool.entryNumber(flow);
    Memory.putIntRelease(reply, number + 1);
    long original = index.reserve(hash);
    if (original == 0) {
      index.clear(replyHash, number + 1);
      pool.retire(flow);
      return FlowTable.FULL;
    }
    if (f.load != 0) {
      Memory.getAndAddLong(f.load, 1);
    }
    // For a successor: whole, and only now to be found. Partner: Revival.
    VarHandle.releaseFence();
    Memory.putShort(flow + LINE + FlowLayout.PUBLISHED, 1);
    Memory.putIntRelease(original, number);
    counts.count(flow, 1);
    f.inserted = true;
    f.roomMade = false;
    return flow;
  }

  /** Whether {@code f}, of which nothing is in the table, would be in the way of a flow that is. */
  boolean clashes(NewFlow f, int replyHash) {
    return original(f, f.hash, f.key()) != 0 || reply(f, replyHash) != 0 || selfReplying(f);
  }

  private long original(NewFlow f, int hash, long key) {
    return f.ipv6
        ? index.find(hash, key, f.sourceHigh, f.sourceLow, f.destinationHigh, f.destinationLow)
        : index.find(hash, key, f.sourceLow << 32 | f.destinationLow);
  }

  /** The entry that has the reply's key of {@code f}, 0 for none. */
  long reply(NewFlow f, int hash) {
    return f.ipv6
        ? index.find(
            hash,
            f.replyKey(),
            f.newDestinationHigh,
            f.newDestinationLow,
            f.newSourceHigh,
            f.newSourceLow)
        : index.find(hash, f.replyKey(), f.newDestinationLow << 32 | f.newSourceLow);
  }

  private static boolean selfReplying(NewFlow f) {
    return f.replyKey() == f.key()
        && f.sourceLow == f.newDestinationLow
        && f.destinationLow == f.newSourceLow
        && f.sourceHigh == f.newDestinationHigh
        && f.destinationHigh == f.newSourceHigh;
  }

  private void write(long flow, NewFlow f, int tick) {
    Memory.zero(flow, FLOW_BYTES);
    FlowWriter.entries(flow, f);
    int state = FlowTracker.first(f.protocol);
    int watched = FlowTracker.watched(state) ? 1 : 0;
    for (int direction = 0; direction < 2; direction++) {
      long entry = flow + direction * (long) LINE;
      Memory.putInt(entry + LAST_SEEN, tick);
      Memory.putByte(entry + DIRECTION, direction);
      Memory.putByte(entry + WATCHED, watched);
    }
    Memory.putShort(flow + FlowLayout.STATE, state);
    Memory.putInt(flow + FlowLayout.SERVICE, f.service);
    Memory.putInt(flow + LINE + FlowLayout.CREATED, tick);
    pool.load(flow, f.load);
    pool.publish(flow);
  }
}
