package io.gatun.flow;

import static io.gatun.flow.FlowLayout.FLOW_BYTES;

import io.gatun.ffm.memory.GrowingArea;
import io.gatun.ring.qsbr.Qsbr;
import java.net.InetAddress;
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

  private final GrowingArea area;
  private final @Nullable FlowFile file;
  private final long base;
  final FlowIndex index;
  private final FlowPool pool;
  private final FlowPressure pressure;
  private final PortUse ports = new PortUse();
  private final FlowInsertion insertion;
  private final FlowRemoval removal;
  private final FlowSurvey survey;
  private final FlowGrowth growth;
  private final FlowSweep sweep;
  private final FlowCounts counts;
  private final int maxFlows;

  /** Room for exactly {@code maxFlows} flows, allocated at once: 178 bytes each. */
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
    this.file = file;
    area =
        file == null ? GrowingArea.anonymous("flows", bytes(maxFlows), bytes(room)) : file.area();
    base = file == null ? area.address() : file.flows();
    index = new FlowIndex(base, room);
    pool =
        new FlowPool(base + FLOW_BYTES, room, maxFlows, qsbr, file == null ? 0 : file.touchedAt());
    pressure = new FlowPressure(pool, maxFlows);
    growth = new FlowGrowth(this, index, pool, qsbr, room, maxFlows);
    counts = new FlowCounts(pressure, ports);
    insertion = new FlowInsertion(index, pool, counts);
    removal = new FlowRemoval(index, pool, counts, timeouts);
    sweep = new FlowSweep(removal, index, pool);
    survey = new FlowSurvey(index, pool, removal, counts);
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
      new FlowRecovery(insertion, removal, index, pool, counts).all(file.touched());
    }
  }

  /**
   * Renumbers the Services of flows that a predecessor left, before any worker runs: {@code
   * numbers} gives the number, or −1 for a flow that is to go.
   */
  public void adopt(ToIntFunction<FlowView> numbers) {
    survey.adopt(numbers);
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

  /** For a worker that inserts up to {@code most} flows one after the other. */
  public ReplyLines replyLines(int most) {
    return new ReplyLines(index, most);
  }

  /**
   * Adds a flow, both directions or neither. Returns the original direction's entry (that of an
   * equal flow if somebody was faster), {@link #CLASH}, {@link #FULL} or {@link #SHARE}.
   */
  public long insert(NewFlow f, int tick) {
    if (!f.roomMade && !pressure.admits(removal, f.service)) {
      return SHARE;
    }
    f.roomMade = true;
    return insertion.insert(f, tick);
  }

  /**
   * Makes way for {@code f}, whose reply's key is another flow's, if that one's connection is over:
   * who begins anew has done with it. By a reader; true when it may be tried again.
   */
  public boolean takeOver(NewFlow f) {
    long reply = insertion.reply(f, f.replyHash());
    return reply != 0 && removal.removeOver(FlowLayout.flowOf(reply));
  }

  /** Whether the reply's key of {@code f} is another flow's. By a reader. */
  public boolean isReplyTaken(NewFlow f) {
    return insertion.reply(f, f.replyHash()) != 0;
  }

  /** Removes the flow that {@code entry} belongs to; false when somebody was faster. */
  public boolean remove(long entry) {
    return removal.remove(FlowLayout.flowOf(entry));
  }

  /**
   * Removes every flow that {@code filter} chooses and returns how many. For the control thread:
   * looks at all flows; safe beside workers.
   */
  public int removeIf(FlowFilter filter) {
    return survey.remove(filter);
  }

  /**
   * Ends every flow that {@code filter} chooses, because its endpoint is gone, and returns how
   * many. UDP flows end for the client at once, so that its next packet makes a new one; what the
   * endpoint has sent already still reaches it for two seconds. For the control thread.
   */
  public int withdraw(FlowFilter filter) {
    return survey.withdraw(filter, sweep.sweptAt());
  }

  /**
   * Copies of at most {@code limit} flows that {@code filter} chooses, without withdrawn ones. For
   * the control thread.
   */
  public List<FlowCopy> copies(FlowFilter filter, int limit, int now) {
    return survey.copies(filter, limit, now);
  }

  /** Shows every flow to {@code visitor}, as long as it looks. For the control side. */
  public void forEach(Consumer<FlowView> visitor) {
    survey.forEach(visitor);
  }

  /** A copy of the flow that {@code entry} belongs to; by a reader that may look at entries. */
  public FlowCopy copy(long entry, int now) {
    return FlowCopy.of(new FlowView().wrap(FlowLayout.flowOf(entry)), now);
  }

  /** A copy of the flow with this key, null for none. For any thread. */
  public @Nullable FlowCopy copy(
      InetAddress source, InetAddress destination, int ports, int protocol, int now) {
    return survey.copy(source, destination, ports, protocol, now);
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

  /**
   * Looks at as many flows as are due since the last call, removes expired ones and frees retired
   * ones. Called once a vector by every worker; all but one return at once.
   */
  public void sweep(int now) {
    sweep.sweep(now);
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
