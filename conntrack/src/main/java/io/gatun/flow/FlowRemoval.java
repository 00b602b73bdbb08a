package io.gatun.flow;

import static io.gatun.flow.FlowLayout.LAST_SEEN;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.WATCHED;

import io.gatun.ffm.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * How flows leave the table: each once, whoever is first, and only if it is still what it was
 * chosen for. Safe for use by many threads.
 */
final class FlowRemoval {
  // When a flow may be removed.
  private static final int ANY = 0;
  private static final int EXPIRED = 1;
  private static final int OVER = 2;
  private static final int DISPENSABLE = 3;

  private final FlowIndex index;
  private final FlowPool pool;
  private final FlowCounts counts;
  private final FlowTimeouts timeouts;

  FlowRemoval(FlowIndex index, FlowPool pool, FlowCounts counts, FlowTimeouts timeouts) {
    this.index = index;
    this.pool = pool;
    this.counts = counts;
    this.timeouts = timeouts;
  }

  /** Whatever it is; false when somebody was faster. */
  boolean remove(long flow) {
    return removeIf(flow, null, null, 0, ANY);
  }

  /** If {@code filter}, with {@code view}, still chooses it. */
  boolean remove(long flow, FlowFilter filter, FlowView view) {
    return removeIf(flow, filter, view, 0, ANY);
  }

  /** If its connection is over. */
  boolean removeOver(long flow) {
    return removeIf(flow, null, null, 0, OVER);
  }

  /** If it gives way to others. */
  boolean evict(long flow) {
    return removeIf(flow, null, null, 0, DISPENSABLE);
  }

  /** If its time is over. */
  boolean expire(long flow, int now) {
    return removeIf(flow, null, null, now, EXPIRED);
  }

  boolean expired(long flow, int now) {
    int state = FlowLayout.state(flow);
    int idle = now - Memory.getInt(flow + LAST_SEEN);
    if (state != FlowTracker.WITHDRAWN) { // that one's replies do not keep it
      idle = Math.min(idle, now - Memory.getInt(flow + LINE + LAST_SEEN));
    }
    return idle > timeouts.ticks(state);
  }

  /** Ends it for its client, for its endpoint two seconds later. */
  boolean withdraw(long flow, FlowFilter filter, FlowView view, int now) {
    int hash = FlowIndex.hash(flow);
    int replyHash = FlowIndex.hash(flow + LINE);
    int number = pool.entryNumber(flow);
    index.lock(hash, replyHash);
    boolean withdrawn =
        index.holds(hash, number)
            && index.holds(replyHash, number + 1)
            && filter.matches(view.wrap(flow));
    if (withdrawn) {
      Memory.putShort(flow + LINE + FlowLayout.PUBLISHED, 0);
      Memory.putInt(flow + LAST_SEEN, now);
      Memory.putShort(flow + FlowLayout.STATE, FlowTracker.WITHDRAWN);
      Memory.putByte(flow + WATCHED, 1);
      Memory.putByte(flow + LINE + WATCHED, 1);
      index.clear(hash, number);
    }
    index.unlock(hash, replyHash);
    return withdrawn;
  }

  /** Under the locks of the hashes that were read, a flow that is in its slots is that flow. */
  private boolean removeIf(
      long flow, @Nullable FlowFilter filter, @Nullable FlowView view, int now, int condition) {
    int hash = FlowIndex.hash(flow);
    int replyHash = FlowIndex.hash(flow + LINE);
    int number = pool.entryNumber(flow);
    index.lock(hash, replyHash);
    boolean removed =
        index.holds(replyHash, number + 1)
            && (index.holds(hash, number) || FlowLayout.state(flow) == FlowTracker.WITHDRAWN)
            && (filter == null || view == null || filter.matches(view.wrap(flow)))
            && meets(flow, now, condition);
    if (removed) {
      Memory.putShort(flow + LINE + FlowLayout.PUBLISHED, 0);
      index.clear(hash, number);
      index.clear(replyHash, number + 1);
    }
    index.unlock(hash, replyHash);
    if (removed) {
      long load = pool.load(flow);
      if (load != 0) {
        Memory.getAndAddLong(load, -1);
      }
      counts.count(flow, -1);
      pool.retire(flow);
    }
    return removed;
  }

  private boolean meets(long flow, int now, int condition) {
    int state = FlowLayout.state(flow);
    return switch (condition) {
      case EXPIRED -> expired(flow, now);
      case OVER -> FlowTracker.over(state);
      case DISPENSABLE -> FlowTracker.over(state) || FlowTracker.halfOpen(state);
      default -> true;
    };
  }
}
