package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.DIRECTION;
import static io.gatun.flow.FlowLayout.FLOW_BYTES;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LAST_SEEN;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.NUMBERS;
import static io.gatun.flow.FlowLayout.WATCHED;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ring.qsbr.Qsbr;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * All flows of a node, shared by its workers: many readers without locks, many writers with a lock
 * per bucket. See the package for the layout.
 *
 * <p>Removed flows are reused only after a grace period, not by generation counting: a worker keeps
 * an entry's address from its track stage to its rewrite stage, and what stands there must not
 * change in between. A reader that meets a slot in the middle of its change compares the key and
 * finds nothing.
 */
public final class FlowTable implements AutoCloseable {
  /** The reply's key belongs to another flow: choose another endpoint or source port. */
  public static final long CLASH = -1;

  /** No memory for another flow. */
  public static final long FULL = -2;

  /** Seconds in which the sweep looks at every flow once. */
  private static final int SWEEP_TICKS = Ticks.ofSeconds(4);

  private static final int MAX_SWEEP = 512;

  private final NativeArea buckets;
  private final @Nullable NativeArea flows;
  private final @Nullable FlowFile file;
  private final long base;
  final FlowIndex index;
  private final FlowPool pool;
  final FlowTimeouts timeouts;
  private final int maxFlows;

  private final SpinLocks sweepLock = new SpinLocks(1);
  private int sweepCursor;
  private int sweptAt;
  private int sweepDue;
  private int sweepLimit;

  /** Room for exactly {@code maxFlows} flows, allocated at once: 184 bytes each. */
  public FlowTable(int maxFlows, FlowTimeouts timeouts, Qsbr qsbr) {
    this(maxFlows, timeouts, qsbr, null);
  }

  /** The same in a file; what that holds already is of no use before {@link #inherit}. */
  public FlowTable(int maxFlows, FlowTimeouts timeouts, Qsbr qsbr, @Nullable FlowFile file) {
    if (maxFlows < 1 || maxFlows > 1 << 29) {
      throw new IllegalArgumentException(
          "conntrack.maxFlows is %d, expected 1 to %d".formatted(maxFlows, 1 << 29));
    }
    this.maxFlows = maxFlows;
    this.timeouts = timeouts;
    this.file = file;
    buckets = FlowIndex.map("flow buckets", maxFlows);
    if (file == null) {
      NativeArea area = NativeArea.map("flows", (maxFlows + 1L) * FLOW_BYTES);
      flows = area;
      base = area.address();
    } else {
      flows = null;
      base = file.flows();
    }
    index = new FlowIndex(buckets.address(), maxFlows);
    pool = new FlowPool(base + FLOW_BYTES, maxFlows, qsbr, file == null ? 0 : file.touchedAt());
  }

  /**
   * Takes over the file's flows, those of a process before us that are whole and have not expired;
   * once, when that process writes no more and before any worker of ours runs.
   */
  public void inherit() {
    if (file != null) {
      int now = Ticks.ofNanos(Libc.monotonicNanos());
      for (int number = file.touched() - 1; number >= 0; number--) {
        pool.adopt(number, revive(pool.address(number), now));
      }
    }
  }

  /** Makes a flow that a predecessor left one of ours; false when it is not whole. */
  private boolean revive(long flow, int now) {
    NewFlow f = new NewFlow();
    if (!Revival.read(flow, f, now) || expired(flow, now)) {
      return false;
    }
    int replyHash = f.replyHash();
    if (findOriginal(f, f.hash, f.key()) != 0 || findReply(f, replyHash) != 0 || selfReplying(f)) {
      return false;
    }
    Revival.complete(flow, f);
    long reply = index.reserve(replyHash);
    if (reply == 0) {
      return false;
    }
    int number = numberOf(flow);
    Memory.putIntRelease(reply, number + 1);
    long original = index.reserve(f.hash);
    if (original == 0) {
      index.clear(replyHash, number + 1);
      return false;
    }
    Memory.putIntRelease(original, number);
    return true;
  }

  /**
   * Renumbers the Services of flows that a predecessor left, before any worker runs: {@code
   * numbers} gives the number, or −1 for a flow that is to go.
   */
  public void adopt(ToIntFunction<FlowView> numbers) {
    FlowView view = new FlowView();
    int touched = pool.touched();
    for (int i = 0; i < touched; i++) {
      long flow = pool.address(i);
      if (pool.isLive(i) && Memory.getInt(flow + FlowLayout.SERVICE) != 0) {
        int number = numbers.applyAsInt(view.wrap(flow));
        if (number < 0) {
          remove(flow);
        } else {
          Memory.putInt(flow + FlowLayout.SERVICE, number);
        }
      }
    }
  }

  /** The entry of this key, 0 for none: IPv4, host order, {@code hash} from {@link FlowHash}. */
  public long find(int hash, int source, int destination, int ports, int protocol) {
    return find(
        hash,
        FlowLayout.key(ports, FlowLayout.IPV4, protocol),
        ((long) source << 32) | (destination & 0xFFFFFFFFL));
  }

  /** The entry of this key, 0 for none: IPv6. */
  public long find(
      int hash,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    return find(
        hash,
        FlowLayout.key(ports, FlowLayout.IPV6, protocol),
        sourceHigh,
        sourceLow,
        destinationHigh,
        destinationLow);
  }

  long find(int hash, long key, long addresses) {
    long lanes = FlowIndex.tagLanes(hash);
    for (long bucket = index.bucket(hash); bucket != 0; bucket = index.next(bucket)) {
      for (int half = 0; half < 2; half++) {
        long hits = FlowIndex.matches(Memory.getLong(bucket + 8L * half), lanes);
        for (; hits != 0; hits &= hits - 1) {
          long entry = entryOf(bucket, half, hits);
          if (entry != 0
              && Memory.getLong(entry + KEY) == key
              && Memory.getLong(entry + ADDRESSES) == addresses) {
            return entry;
          }
        }
      }
    }
    return 0;
  }

  long find(int hash, long key, long s0, long s1, long d0, long d1) {
    long lanes = FlowIndex.tagLanes(hash);
    for (long bucket = index.bucket(hash); bucket != 0; bucket = index.next(bucket)) {
      for (int half = 0; half < 2; half++) {
        long hits = FlowIndex.matches(Memory.getLong(bucket + 8L * half), lanes);
        for (; hits != 0; hits &= hits - 1) {
          long entry = entryOf(bucket, half, hits);
          if (entry != 0 && holds(entry, key, s0, s1, d0, d1)) {
            return entry;
          }
        }
      }
    }
    return 0;
  }

  static boolean holds(long entry, long key, long s0, long s1, long d0, long d1) {
    return Memory.getLong(entry + KEY) == key
        && Memory.getLong(entry + ADDRESSES) == s0
        && Memory.getLong(entry + ADDRESSES + 8) == s1
        && Memory.getLong(entry + ADDRESSES + 16) == d0
        && Memory.getLong(entry + ADDRESSES + 24) == d1;
  }

  /** First entry in the bucket's own line whose tag fits, 0 for none: what to touch beforehand. */
  static long candidate(long base, long bucket, int hash) {
    int number = FlowIndex.candidate(bucket, hash);
    return number < 0 ? 0 : entry(base, number);
  }

  /** Where entries are counted from. */
  long entries() {
    return base;
  }

  private long entryOf(long bucket, int half, long hits) {
    long slot = bucket + NUMBERS + 16L * half + (Long.numberOfTrailingZeros(hits) >>> 4) * 4L;
    // Acquire: pairs with publish, the entry is whole when its number is seen.
    int number = Memory.getIntAcquire(slot);
    return number == 0 ? 0 : entry(base, number);
  }

  /**
   * Entry numbers count lines: 2 is the first flow's original direction, 3 its reply's. Below them
   * stands a line of zeros, the entry of an empty slot: no packet has its key.
   */
  private static long entry(long base, int number) {
    return base + number * (long) LINE;
  }

  private int numberOf(long flow) {
    return 2 + 2 * pool.number(flow);
  }

  /**
   * Adds a flow, both directions or neither. Returns the original direction's entry (that of an
   * equal flow if somebody was faster), {@link #CLASH} or {@link #FULL}.
   */
  public long insert(NewFlow f, int tick) {
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
    long known = findOriginal(f, hash, key);
    if (known != 0) {
      return known;
    }
    if (findReply(f, replyHash) != 0 || selfReplying(f)) {
      return CLASH;
    }
    long flow = pool.take();
    if (flow == 0) {
      return FULL;
    }
    write(flow, f, tick);
    // Both slots before either is published; the two may be the same bucket, so the first is
    // held by its number before the second is looked for. The reply comes first: an original
    // entry that can be found has a reply that can be found.
    long reply = index.reserve(replyHash);
    if (reply == 0) {
      pool.untake(flow);
      return FULL;
    }
    int number = numberOf(flow);
    Memory.putIntRelease(reply, number + 1);
    long original = index.reserve(hash);
    if (original == 0) {
      index.clear(replyHash, number + 1);
      pool.retire(flow);
      return FULL;
    }
    if (f.load != 0) {
      Memory.getAndAddLong(f.load, 1);
    }
    // For a successor: whole, and only now to be found. Partner: Revival.
    VarHandle.releaseFence();
    Memory.putShort(flow + LINE + FlowLayout.PUBLISHED, 1);
    Memory.putIntRelease(original, number);
    f.inserted = true;
    return flow;
  }

  private long findOriginal(NewFlow f, int hash, long key) {
    return f.ipv6
        ? find(hash, key, f.sourceHigh, f.sourceLow, f.destinationHigh, f.destinationLow)
        : find(hash, key, f.sourceLow << 32 | f.destinationLow);
  }

  private long findReply(NewFlow f, int hash) {
    return f.ipv6
        ? find(
            hash,
            f.replyKey(),
            f.newDestinationHigh,
            f.newDestinationLow,
            f.newSourceHigh,
            f.newSourceLow)
        : find(hash, f.replyKey(), f.newDestinationLow << 32 | f.newSourceLow);
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

  /** Removes the flow that {@code entry} belongs to; false when somebody was faster. */
  public boolean remove(long entry) {
    return removeIf(flowOf(entry), null, null, 0, false);
  }

  /**
   * Removes every flow that {@code filter} chooses and returns how many. For the control thread:
   * looks at all flows; safe beside workers.
   */
  public int removeIf(FlowFilter filter) {
    FlowView view = new FlowView();
    int removed = 0;
    int touched = pool.touched();
    for (int i = 0; i < touched; i++) {
      long flow = pool.address(i);
      if (pool.isLive(i)
          && filter.matches(view.wrap(flow))
          && removeIf(flow, filter, view, 0, false)) {
        removed++;
      }
    }
    return removed;
  }

  /** Of the packets that {@code entry} is for. */
  private static int hash(long entry) {
    long key = Memory.getLong(entry + KEY);
    long addresses = Memory.getLong(entry + ADDRESSES);
    return (key & 0xFF00) != FlowLayout.IPV6
        ? FlowHash.ofKey(key, addresses)
        : FlowHash.ofKey(
            key,
            addresses,
            Memory.getLong(entry + ADDRESSES + 8),
            Memory.getLong(entry + ADDRESSES + 16),
            Memory.getLong(entry + ADDRESSES + 24));
  }

  /** Under the locks of the hashes that were read, a flow that is in its slots is that flow. */
  private boolean removeIf(
      long flow,
      @Nullable FlowFilter filter,
      @Nullable FlowView view,
      int now,
      boolean expiredOnly) {
    int hash = hash(flow);
    int replyHash = hash(flow + LINE);
    int number = numberOf(flow);
    index.lock(hash, replyHash);
    boolean removed =
        index.holds(hash, number)
            && index.holds(replyHash, number + 1)
            && (filter == null || view == null || filter.matches(view.wrap(flow)))
            && (!expiredOnly || expired(flow, now));
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
      pool.retire(flow);
    }
    return removed;
  }

  /**
   * Looks at as many flows as are due since the last call, removes expired ones and frees retired
   * ones. Called once a vector by every worker; all but one return at once.
   */
  public void sweep(int now) {
    if (!sweepLock.tryLock(0)) {
      return;
    }
    int elapsed = now - sweptAt;
    if (elapsed != 0) {
      sweptAt = now;
      pool.collect();
      int touched = pool.touched();
      int share = (int) Math.min(touched, (long) touched * elapsed / SWEEP_TICKS + 1);
      sweepDue = Math.min(touched, Math.max(share, 0) + sweepDue);
      sweepLimit = touched;
    }
    int batch = Math.min(sweepDue, MAX_SWEEP);
    sweepDue -= batch;
    for (int i = 0; i < batch; i++) {
      if (sweepCursor >= sweepLimit) {
        sweepCursor = 0;
      }
      int number = sweepCursor++;
      long flow = pool.address(number);
      if (pool.isLive(number) && expired(flow, now)) {
        removeIf(flow, null, null, now, true);
      }
    }
    sweepLock.unlock(0);
  }

  private boolean expired(long flow, int now) {
    int state = Memory.getShort(flow + FlowLayout.STATE) & 0xFF;
    int idle =
        Math.min(
            now - Memory.getInt(flow + LAST_SEEN), now - Memory.getInt(flow + LINE + LAST_SEEN));
    return idle > timeouts.ticks(state);
  }

  /** Native memory of the table, all of which is taken at once. */
  public long bytes() {
    return buckets.bytes() + (maxFlows + 1L) * FLOW_BYTES + (long) maxFlows * FlowPool.LINK_BYTES;
  }

  /** Flows at the moment. */
  public int size() {
    return pool.live();
  }

  /** Flows that there is room for. */
  public int capacity() {
    return maxFlows;
  }

  /** Copies of at most {@code limit} flows that {@code filter} chooses. For the control thread. */
  public List<FlowCopy> copies(FlowFilter filter, int limit, int now) {
    List<FlowCopy> copies = new ArrayList<>();
    FlowView view = new FlowView();
    int touched = pool.touched();
    for (int i = 0; i < touched && copies.size() < limit; i++) {
      long flow = pool.address(i);
      if (pool.isLive(i) && filter.matches(view.wrap(flow))) {
        copies.add(FlowCopy.of(view, now));
      }
    }
    return copies;
  }

  /** A copy of the flow that {@code entry} belongs to; by a reader that may look at entries. */
  public FlowCopy copy(long entry, int now) {
    return FlowCopy.of(new FlowView().wrap(flowOf(entry)), now);
  }

  static long flowOf(long entry) {
    return entry - Memory.getByte(entry + DIRECTION) * (long) LINE;
  }

  /** Gives the memory back, a file stays for a successor; no worker may be running. */
  @Override
  public void close() {
    pool.close();
    if (flows != null) {
      flows.close();
    }
    if (file != null) {
      file.close();
    }
    buckets.close();
  }
}
