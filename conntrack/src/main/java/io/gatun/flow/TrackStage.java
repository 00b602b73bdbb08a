package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LAST_SEEN;
import static io.gatun.flow.FlowLayout.WATCHED;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.IpProtocol;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import java.util.function.LongSupplier;

/**
 * Finds the flow of every packet. Owned by one worker; the table is shared.
 *
 * <p>Pass by pass over the vector, so that the misses of all packets' buckets, and then of all
 * their entries, overlap: keys and hashes ({@link TupleColumns}); tags ({@link Candidates}); keys
 * compared. A packet without a candidate is done after the second.
 */
public final class TrackStage implements Stage {
  private static final int PART = Candidates.PART;

  private final FlowTable table;
  private final LongSupplier clock;
  private final TupleColumns tuples = new TupleColumns();
  private final Candidates candidates;
  private final int[] rest = new int[PacketVector.CAPACITY];

  private int tick;

  /** {@code clock} gives nanoseconds of CLOCK_MONOTONIC; asked once a vector. */
  public TrackStage(FlowTable table, LongSupplier clock) {
    this.table = table;
    candidates = new Candidates(table.entries());
    this.clock = clock;
  }

  /** The coarse time of the vector under way. */
  public int tick() {
    return tick;
  }

  @Override
  public void process(PacketVector v) {
    tick = Ticks.ofNanos(clock.getAsLong());
    int n = v.size;
    Buckets buckets = table.index.current();
    boolean moving = table.index.isMoving();
    tuples.fill(v);
    candidates.of(v, tuples, buckets);
    candidates.ask(0, Math.min(n, PART));
    int left = 0;
    int looked = 0; // compared up to here, the part up to `from` is on its way
    for (int from = 0, to; from < n; from = to) {
      to = Math.min(n, from + PART);
      candidates.ask(to, Math.min(n, to + PART));
      boolean many = candidates.look(from, to);
      left = compare(v, looked, from, left);
      looked = many ? from : to;
    }
    left = compare(v, looked, n, left);
    if (moving) {
      left = missed(v);
    } else {
      find(v, candidates.few, candidates.listed());
    }
    find(v, rest, left);
    table.sweep(tick);
  }

  /** Of the first {@code count} of {@code packets}. */
  private void find(PacketVector v, int[] packets, int count) {
    for (int k = 0; k < count; k++) {
      if (candidates.isKeyed(packets[k])) {
        find(v, packets[k]);
      }
    }
  }

  /** All that have not found a flow: it may be in the older array. */
  private int missed(PacketVector v) {
    int count = 0;
    for (int i = 0, n = v.size; i < n; i++) {
      if (v.flow[i] == 0) {
        rest[count++] = i;
      }
    }
    return count;
  }

  /**
   * Established flows, by far the most, in a loop that calls nothing. What has another flow's tag,
   * or a state that follows its packets, is appended to the {@code left} in {@link #rest}; returns
   * how many there are then.
   */
  private int compare(PacketVector v, int from, int to, int left) {
    long none = candidates.none;
    long[] entries = candidates.entry;
    long[] keys = tuples.key;
    long[] address = v.address;
    long[] addresses = v.addresses;
    long[] flow = v.flow;
    int[] l3 = v.l3;
    int[] flags = v.flags;
    int[] others = rest;
    int now = tick;
    int count = left;
    for (int i = from; i < to; i++) {
      long entry = Memory.address(entries[i]);
      if (entry == none) {
        continue;
      }
      int f = flags[i];
      boolean same =
          (f & PacketVector.IPV6) == 0
              ? Memory.getLong(entry + KEY) == keys[i]
                  && Memory.getLong(entry + ADDRESSES) == addresses[i]
              : holds6(entry, address[i] + l3[i], keys[i]);
      if (!same
          || (f & (PacketVector.TCP_SYN | PacketVector.TCP_END)) != 0
          || Memory.getByte(entry + WATCHED) != 0) {
        others[count++] = i;
        continue;
      }
      if (Memory.getInt(entry + LAST_SEEN) != now) {
        Memory.putInt(entry + LAST_SEEN, now);
      }
      flow[i] = entry;
    }
    return count;
  }

  private static boolean holds6(long entry, long l3, long key) {
    return FlowIndex.holds(
        entry,
        key,
        Memory.getLongBe(l3 + Ip.SOURCE6),
        Memory.getLongBe(l3 + Ip.SOURCE6 + 8),
        Memory.getLongBe(l3 + Ip.DESTINATION6),
        Memory.getLongBe(l3 + Ip.DESTINATION6 + 8));
  }

  /** The whole chain of buckets, and the flow's state. */
  private void find(PacketVector v, int i) {
    long l3 = v.address[i] + v.l3[i];
    long entry = (v.flags[i] & PacketVector.IPV6) != 0 ? find6(v, i, l3) : find4(v, i);
    if (entry == 0) {
      return;
    }
    if (Memory.getInt(entry + LAST_SEEN) != tick) {
      Memory.putInt(entry + LAST_SEEN, tick);
    }
    v.flow[i] =
        (v.flags[i] & (PacketVector.TCP_SYN | PacketVector.TCP_END)) == 0
                && Memory.getByte(entry + WATCHED) == 0
            ? entry
            : follow(v, i, entry, tick);
  }

  private long find4(PacketVector v, int i) {
    return table.find(v.hash[i], tuples.key[i], v.addresses[i]);
  }

  private long find6(PacketVector v, int i, long l3) {
    return table.find(
        v.hash[i],
        tuples.key[i],
        Memory.getLongBe(l3 + Ip.SOURCE6),
        Memory.getLongBe(l3 + Ip.SOURCE6 + 8),
        Memory.getLongBe(l3 + Ip.DESTINATION6),
        Memory.getLongBe(l3 + Ip.DESTINATION6 + 8));
  }

  /** Steps the flow's state; 0 when the packet opens a finished flow anew. */
  private long follow(PacketVector v, int i, long entry, int now) {
    if ((v.flags[i] & PacketVector.LATER_FRAGMENT) != 0) {
      return entry; // no header to look at
    }
    if (v.protocol[i] == IpProtocol.TCP) {
      if ((v.flags[i] & PacketVector.TCP_SYN) != 0 && FlowTracker.finished(entry)) {
        table.remove(entry);
        return 0;
      }
      FlowTracker.tcp(entry, Memory.getByte(v.address[i] + v.l4[i] + Ip.TCP_FLAGS));
    } else if (v.protocol[i] == IpProtocol.UDP) {
      FlowTracker.udp(entry, now);
    }
    return entry;
  }
}
