package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LAST_SEEN;
import static io.gatun.flow.FlowLayout.WATCHED;

import io.gatun.ffm.memory.Memory;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import java.util.function.LongSupplier;

/**
 * Finds the flow of every packet. Owned by one worker; the table is shared.
 *
 * <p>Pass by pass over the vector, so that the misses of all packets' buckets, and then of all
 * their entries, overlap: hash and touch the bucket; compare tags and touch the entry; compare
 * keys. A packet without a candidate is done after the second pass.
 */
public final class TrackStage implements Stage {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int NO_KEY = PacketVector.LATER_FRAGMENT | PacketVector.ICMP_ERROR;

  private final FlowTable table;
  private final LongSupplier clock;
  private final long[] bucket = new long[PacketVector.CAPACITY];
  private final long[] candidate = new long[PacketVector.CAPACITY];
  private int tick;

  /** Where touched words end, so that the compiler keeps the touching. */
  @SuppressWarnings("UnusedVariable")
  private long sink;

  /** {@code clock} gives nanoseconds of CLOCK_MONOTONIC; asked once a vector. */
  public TrackStage(FlowTable table, LongSupplier clock) {
    this.table = table;
    this.clock = clock;
  }

  /** The coarse time of the vector under way. */
  public int tick() {
    return tick;
  }

  @Override
  public void process(PacketVector v) {
    tick = Ticks.ofNanos(clock.getAsLong());
    hash(v);
    probe(v);
    compare(v);
    table.sweep(tick);
  }

  private void hash(PacketVector v) {
    FlowIndex index = table.index;
    long base = index.base;
    int spread = index.spread;
    int shift = index.shift;
    long[] buckets = bucket;
    int[] hashes = v.hash;
    long touched = 0;
    for (int i = 0, n = v.size; i < n; i++) {
      buckets[i] = 0;
      if (v.verdict[i] != Verdict.CONTINUE) {
        continue;
      }
      int flags = v.flags[i];
      long l3 = v.address[i] + v.l3[i];
      boolean six = (flags & PacketVector.IPV6) != 0;
      int ports = (flags & NO_KEY) == 0 ? v.ports[i] : 0;
      int hash = six ? hash6(l3, ports, v.protocol[i]) : hash4(l3, ports, v.protocol[i]);
      hashes[i] = hash;
      if ((flags & NO_KEY) == 0) {
        long b = base + (long) ((hash * spread) >>> shift) * FlowLayout.LINE;
        buckets[i] = b;
        touched += Memory.getLong(b);
      }
    }
    sink = touched;
  }

  private static int hash4(long l3, int ports, int protocol) {
    return FlowHash.ofKey(
        FlowLayout.key(ports, FlowLayout.IPV4, protocol), Memory.getLongBe(l3 + Ip.SOURCE4));
  }

  private static int hash6(long l3, int ports, int protocol) {
    return FlowHash.ofKey(
        FlowLayout.key(ports, FlowLayout.IPV6, protocol),
        Memory.getLongBe(l3 + Ip.SOURCE6),
        Memory.getLongBe(l3 + Ip.SOURCE6 + 8),
        Memory.getLongBe(l3 + Ip.DESTINATION6),
        Memory.getLongBe(l3 + Ip.DESTINATION6 + 8));
  }

  private void probe(PacketVector v) {
    FlowTable flows = table;
    long[] buckets = bucket;
    long[] candidates = candidate;
    int[] hashes = v.hash;
    long touched = 0;
    for (int i = 0, n = v.size; i < n; i++) {
      long b = buckets[i];
      long entry = b == 0 ? 0 : flows.candidate(b, hashes[i]);
      candidates[i] = entry;
      if (entry != 0) {
        touched += Memory.getLong(entry);
      }
    }
    sink = touched;
  }

  private void compare(PacketVector v) {
    FlowIndex index = table.index;
    long[] buckets = bucket;
    long[] candidates = candidate;
    long[] flow = v.flow;
    int now = tick;
    for (int i = 0, n = v.size; i < n; i++) {
      long b = buckets[i];
      if (b == 0) {
        continue;
      }
      flow[i] = 0;
      long entry = candidates[i];
      if (entry == 0 && index.next(b) == 0) {
        continue;
      }
      int flags = v.flags[i];
      long l3 = v.address[i] + v.l3[i];
      entry =
          (flags & PacketVector.IPV6) != 0
              ? find6(v, i, l3, entry)
              : find4(l3, v.ports[i], v.protocol[i], v.hash[i], entry);
      if (entry == 0) {
        continue;
      }
      if (Memory.getInt(entry + LAST_SEEN) != now) {
        Memory.putInt(entry + LAST_SEEN, now);
      }
      flow[i] =
          (flags & (PacketVector.TCP_SYN | PacketVector.TCP_END)) == 0
                  && Memory.getByte(entry + WATCHED) == 0
              ? entry
              : follow(v, i, entry, now);
    }
  }

  private long find4(long l3, int ports, int protocol, int hash, long candidate) {
    long key = FlowLayout.key(ports, FlowLayout.IPV4, protocol);
    long addresses = Memory.getLongBe(l3 + Ip.SOURCE4);
    if (candidate != 0
        && Memory.getLong(candidate + KEY) == key
        && Memory.getLong(candidate + ADDRESSES) == addresses) {
      return candidate;
    }
    return table.find(hash, key, addresses);
  }

  private long find6(PacketVector v, int i, long l3, long candidate) {
    long key = FlowLayout.key(v.ports[i], FlowLayout.IPV6, v.protocol[i]);
    long s0 = Memory.getLongBe(l3 + Ip.SOURCE6);
    long s1 = Memory.getLongBe(l3 + Ip.SOURCE6 + 8);
    long d0 = Memory.getLongBe(l3 + Ip.DESTINATION6);
    long d1 = Memory.getLongBe(l3 + Ip.DESTINATION6 + 8);
    return candidate != 0 && FlowTable.holds(candidate, key, s0, s1, d0, d1)
        ? candidate
        : table.find(v.hash[i], key, s0, s1, d0, d1);
  }

  /** Steps the flow's state; 0 when the packet opens a finished flow anew. */
  private long follow(PacketVector v, int i, long entry, int now) {
    if (v.protocol[i] == TCP) {
      if ((v.flags[i] & PacketVector.TCP_SYN) != 0 && FlowTracker.finished(entry)) {
        table.remove(entry);
        return 0;
      }
      FlowTracker.tcp(entry, Memory.getByte(v.address[i] + v.l4[i] + Ip.TCP_FLAGS));
    } else if (v.protocol[i] == UDP) {
      FlowTracker.udp(entry, now);
    }
    return entry;
  }
}
