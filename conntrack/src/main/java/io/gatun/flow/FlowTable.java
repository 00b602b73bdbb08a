package io.gatun.flow;

import static io.gatun.flow.FlowLayout.DIRECTION;
import static io.gatun.flow.FlowLayout.FLOW_BYTES;
import static io.gatun.flow.FlowLayout.LAST_SEEN;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.WATCHED;

import io.gatun.ffm.memory.GrowingArea;
import io.gatun.ffm.memory.Memory;
import io.gatun.ring.qsbr.Qsbr;
import java.lang.invoke.VarHandle;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
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

  /** Its Service has all the flows that one may have. */
  public static final long SHARE = -3;

  /** Flows that a table has room for before it grows: 12 MB. */
  public static final int FIRST = 1 << 16;

  private static final int UDP = 17;

  // When a flow may be removed.
  private static final int ANY = 0;
  private static final int EXPIRED = 1;
  private static final int OVER = 2;
  private static final int DISPENSABLE = 3;

  private final GrowingArea area;
  private final @Nullable FlowFile file;
  private final long base;
  final FlowIndex index;
  private final FlowPool pool;
  final FlowTimeouts timeouts;
  private final FlowPressure pressure;
  private final PortUse ports = new PortUse();
  private final FlowGrowth growth;
  private final FlowSweep sweep;
  private final int maxFlows;

  /** Room for exactly {@code maxFlows} flows, allocated at once: 184 bytes each. */
  public FlowTable(int maxFlows, FlowTimeouts timeouts, Qsbr qsbr) {
    this(maxFlows, maxFlows, timeouts, qsbr, null);
  }

  /** The same in a file; what that holds already is of no use before {@link #inherit}. */
  public FlowTable(int maxFlows, FlowTimeouts timeouts, Qsbr qsbr, FlowFile file) {
    this(file.room(), maxFlows, timeouts, qsbr, file);
  }

  /**
   * Grows as it fills, when somebody calls {@link #grow}.
   *
   * @param first flows that there is room for at the beginning
   * @param maxFlows in the end
   */
  public FlowTable(
      int first, int maxFlows, FlowTimeouts timeouts, Qsbr qsbr, @Nullable FlowFile file) {
    if (maxFlows < 1 || maxFlows > 1 << 29) {
      throw new IllegalArgumentException(
          "conntrack.maxFlows is %d, expected 1 to %d".formatted(maxFlows, 1 << 29));
    }
    int room = Math.min(maxFlows, file == null ? first : file.room());
    this.maxFlows = maxFlows;
    this.timeouts = timeouts;
    this.file = file;
    area =
        file == null ? GrowingArea.anonymous("flows", bytes(maxFlows), bytes(room)) : file.area();
    base = file == null ? area.address() : file.flows();
    index = new FlowIndex(base, room);
    pool =
        new FlowPool(base + FLOW_BYTES, room, maxFlows, qsbr, file == null ? 0 : file.touchedAt());
    pressure = new FlowPressure(pool, maxFlows);
    growth = new FlowGrowth(this, index, pool, qsbr, room, maxFlows);
    sweep = new FlowSweep(this, index, pool);
  }

  /** Of so many flows, the one of zeros included. */
  private static long bytes(int flows) {
    return (flows + 1L) * FLOW_BYTES;
  }

  /** Grower: has memory for so many flows. */
  void room(int flows) {
    if (file == null) {
      area.grow(bytes(flows));
    } else {
      file.grow(flows);
    }
  }

  /**
   * One thread of its own, not a worker: does a piece of the growing that is due, without making
   * anybody wait for longer than a bucket takes. False when there is nothing to do for now.
   */
  public boolean grow() {
    return growth.step();
  }

  /**
   * Takes over the file's flows, those of a process before us that are whole and have not expired;
   * once, when that process writes no more and before any worker of ours runs.
   */
  public void inherit() {
    if (file != null) {
      growth.now(file.touched()); // it may have grown since we opened it
      new FlowRecovery(this, index, pool).all(file.touched());
    }
  }

  /** A flow comes or goes. */
  void count(long flow, int change) {
    pressure.count(service(flow), change);
    ports.count(flow, change);
  }

  static int service(long flow) {
    return Memory.getInt(flow + FlowLayout.SERVICE);
  }

  static int state(long flow) {
    return Memory.getShort(flow + FlowLayout.STATE) & 0xFF;
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
          pressure.count(service(flow), -1);
          Memory.putInt(flow + FlowLayout.SERVICE, number);
          pressure.count(number, 1);
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
    return index.find(hash, key, addresses);
  }

  long find(int hash, long key, long s0, long s1, long d0, long d1) {
    return index.find(hash, key, s0, s1, d0, d1);
  }

  /** Where entries are counted from. */
  long entries() {
    return base;
  }

  int numberOf(long flow) {
    return 2 + 2 * pool.number(flow);
  }

  /** For a worker that inserts up to {@code most} flows one after the other. */
  public ReplyLines replyLines(int most) {
    return new ReplyLines(index, most);
  }

  /**
   * Adds a flow, both directions or neither. Returns the original direction's entry (that of an
   * equal flow if somebody was faster), {@link #CLASH}, {@link #FULL} or {@link #SHARE}.
   */
  public long insert(NewFlow f, int tick) {
    if (!f.roomMade && !pressure.admits(this, f.service)) {
      return SHARE;
    }
    f.roomMade = true;
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
    count(flow, 1);
    f.inserted = true;
    f.roomMade = false;
    return flow;
  }

  /**
   * Makes way for {@code f}, whose reply's key is another flow's, if that one's connection is over:
   * who begins anew has done with it. By a reader; true when it may be tried again.
   */
  public boolean takeOver(NewFlow f) {
    long reply = findReply(f, f.replyHash());
    return reply != 0
        && FlowTracker.over(state(flowOf(reply)))
        && removeIf(flowOf(reply), null, null, 0, OVER);
  }

  /** Whether the reply's key of {@code f} is another flow's. By a reader. */
  public boolean isReplyTaken(NewFlow f) {
    return findReply(f, f.replyHash()) != 0;
  }

  /** Removes a flow that gives way to others, if it still may. */
  boolean evict(long flow) {
    return removeIf(flow, null, null, 0, DISPENSABLE);
  }

  /** Source ports that are in use towards the endpoint of {@code f}, from its source. */
  public int portsUsed(NewFlow f) {
    return ports.used(f);
  }

  /** The most source ports that are in use from one source towards one endpoint. */
  public int mostPortsUsed() {
    return ports.most();
  }

  /** Flows that gave way to others, because there was no room. */
  public long evicted() {
    return pressure.evicted();
  }

  long findOriginal(NewFlow f, int hash, long key) {
    return f.ipv6
        ? find(hash, key, f.sourceHigh, f.sourceLow, f.destinationHigh, f.destinationLow)
        : find(hash, key, f.sourceLow << 32 | f.destinationLow);
  }

  long findReply(NewFlow f, int hash) {
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

  static boolean selfReplying(NewFlow f) {
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
    return removeIf(flowOf(entry), null, null, 0, ANY);
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
          && removeIf(flow, filter, view, 0, ANY)) {
        removed++;
      }
    }
    return removed;
  }

  /**
   * Ends every flow that {@code filter} chooses, because its endpoint is gone, and returns how
   * many. UDP flows end for the client at once, so that its next packet makes a new one; what the
   * endpoint has sent already still reaches it for two seconds. For the control thread.
   */
  public int withdraw(FlowFilter filter) {
    FlowView view = new FlowView();
    int ended = 0;
    int touched = pool.touched();
    for (int i = 0; i < touched; i++) {
      long flow = pool.address(i);
      if (pool.isLive(i)
          && filter.matches(view.wrap(flow))
          && (view.protocol() == UDP
              ? withdraw(flow, filter, view, sweep.sweptAt())
              : removeIf(flow, filter, view, 0, ANY))) {
        ended++;
      }
    }
    return ended;
  }

  private boolean withdraw(long flow, FlowFilter filter, FlowView view, int now) {
    int hash = FlowIndex.hash(flow);
    int replyHash = FlowIndex.hash(flow + LINE);
    int number = numberOf(flow);
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
    int number = numberOf(flow);
    index.lock(hash, replyHash);
    boolean removed =
        index.holds(replyHash, number + 1)
            && (index.holds(hash, number) || state(flow) == FlowTracker.WITHDRAWN)
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
      count(flow, -1);
      pool.retire(flow);
    }
    return removed;
  }

  private boolean meets(long flow, int now, int condition) {
    int state = state(flow);
    return switch (condition) {
      case EXPIRED -> expired(flow, now);
      case OVER -> FlowTracker.over(state);
      case DISPENSABLE -> FlowTracker.over(state) || FlowTracker.halfOpen(state);
      default -> true;
    };
  }

  /**
   * Looks at as many flows as are due since the last call, removes expired ones and frees retired
   * ones. Called once a vector by every worker; all but one return at once.
   */
  public void sweep(int now) {
    sweep.sweep(now);
  }

  /** Removes a flow whose time is over, if it still is. */
  boolean expire(long flow, int now) {
    return removeIf(flow, null, null, now, EXPIRED);
  }

  boolean expired(long flow, int now) {
    int state = state(flow);
    int idle = now - Memory.getInt(flow + LAST_SEEN);
    if (state != FlowTracker.WITHDRAWN) { // that one's replies do not keep it
      idle = Math.min(idle, now - Memory.getInt(flow + LINE + LAST_SEEN));
    }
    return idle > timeouts.ticks(state);
  }

  /** Native memory of the table as it is now. */
  public long bytes() {
    int room = pool.capacity();
    return index.bytes() + bytes(room) + (long) room * FlowPool.LINK_BYTES;
  }

  /** Flows at the moment. */
  public int size() {
    return pool.live();
  }

  /** Flows that there is room for in the end: {@code conntrack.maxFlows}. */
  public int capacity() {
    return maxFlows;
  }

  /** Flows that there is room for now. */
  public int room() {
    return pool.capacity();
  }

  /** Flows that can be taken at once. */
  int spare() {
    pool.collect();
    return pool.spare();
  }

  /** Flows of one Service at this moment. */
  public int flows(int service) {
    return pressure.flows(service);
  }

  /**
   * Copies of at most {@code limit} flows that {@code filter} chooses, without withdrawn ones. For
   * the control thread.
   */
  public List<FlowCopy> copies(FlowFilter filter, int limit, int now) {
    List<FlowCopy> copies = new ArrayList<>();
    FlowView view = new FlowView();
    int touched = pool.touched();
    for (int i = 0; i < touched && copies.size() < limit; i++) {
      long flow = pool.address(i);
      if (pool.isLive(i)
          && state(flow) != FlowTracker.WITHDRAWN
          && filter.matches(view.wrap(flow))) {
        copies.add(FlowCopy.of(view, now));
      }
    }
    return copies;
  }

  /** Shows every flow to {@code visitor}, as long as it looks. For the control side. */
  public void forEach(Consumer<FlowView> visitor) {
    FlowView view = new FlowView();
    int touched = pool.touched();
    for (int i = 0; i < touched; i++) {
      long flow = pool.address(i);
      if (pool.isLive(i) && state(flow) != FlowTracker.WITHDRAWN) {
        visitor.accept(view.wrap(flow));
      }
    }
  }

  /** A copy of the flow that {@code entry} belongs to; by a reader that may look at entries. */
  public FlowCopy copy(long entry, int now) {
    return FlowCopy.of(new FlowView().wrap(flowOf(entry)), now);
  }

  /** A copy of the flow with this key, null for none. For any thread. */
  public @Nullable FlowCopy copy(
      InetAddress source, InetAddress destination, int ports, int protocol, int now) {
    boolean ipv6 = AddressWords.ipv6(source);
    long key = FlowLayout.key(ports, ipv6 ? FlowLayout.IPV6 : FlowLayout.IPV4, protocol);
    long s0 = AddressWords.high(source);
    long s1 = AddressWords.low(source);
    long d0 = AddressWords.high(destination);
    long d1 = AddressWords.low(destination);
    int hash = ipv6 ? FlowHash.ofKey(key, s0, s1, d0, d1) : FlowHash.ofKey(key, s1 << 32 | d1);
    index.lock(hash, hash); // nothing is freed under who holds a lock
    try {
      long entry = ipv6 ? find(hash, key, s0, s1, d0, d1) : find(hash, key, s1 << 32 | d1);
      return entry == 0 ? null : FlowCopy.of(new FlowView().wrap(flowOf(entry)), now);
    } finally {
      index.unlock(hash, hash);
    }
  }

  static long flowOf(long entry) {
    return entry - Memory.getByte(entry + DIRECTION) * (long) LINE;
  }

  /** Gives the memory back, a file stays for a successor; no worker may be running. */
  @Override
  public void close() {
    growth.close();
    pool.close();
    if (file == null) {
      area.close();
    } else {
      file.close();
    }
    index.close();
  }
}
