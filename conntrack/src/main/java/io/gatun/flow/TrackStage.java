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
 * their entries, overlap: hash; touch the buckets; compare tags; touch the entries; compare keys. A
 * packet without a candidate is done after the third.
 */
public final class TrackStage implements Stage {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int NO_KEY = PacketVector.ICMP_ERROR;

  private final FlowTable table;
  private final LongSupplier clock;
  private final long[] bucket = new long[PacketVector.CAPACITY];
  private final long[] candidate = new long[PacketVector.CAPACITY];
  private final int[] rest = new int[PacketVector.CAPACITY];

  /** Of the vector under way. */
  private Buckets buckets;

  private int tick;

  /** Where touched words end, so that the compiler keeps the touching. */
  @SuppressWarnings("UnusedVariable")
  private long sink;

  /** {@code clock} gives nanoseconds of CLOCK_MONOTONIC; asked once a vector. */
  public TrackStage(FlowTable table, LongSupplier clock) {
    this.table = table;
    this.buckets = table.index.current();
    this.clock = clock;
  }

  /** The coarse time of the vector under way. */
  public int tick() {
    return tick;
  }

  @Override
  public void process(PacketVector v) {
    tick = Ticks.ofNanos(clock.getAsLong());
    buckets = table.index.current();
    hash(v);
    probe(v);
    int left = compare(v);
    for (int k = 0; k < left; k++) {
      find(v, rest[k]);
    }
    table.sweep(tick);
  }

  private void hash(PacketVector v) {
    Buckets index = buckets;
    long base = index.base;
    int spread = index.spread;
    int count = index.count;
    long[] found = bucket;
    long[] address = v.address;
    long[] addresses = v.addresses;
    int[] l3 = v.l3;
    int[] flags = v.flags;
    int[] ports = v.ports;
    int[] protocol = v.protocol;
    int[] verdict = v.verdict;
    int[] hashes = v.hash;
    int n = v.size;
    for (int i = 0; i < n; i++) {
      long home = 0;
      if (verdict[i] == Verdict.CONTINUE) {
        int f = flags[i];
        boolean keyed = (f & NO_KEY) == 0;
        int p = keyed ? ports[i] : 0;
        int hash =
            (f & PacketVector.IPV6) == 0
                ? FlowHash.ofKey(FlowLayout.key(p, FlowLayout.IPV4, protocol[i]), addresses[i])
                : hash6(address[i] + l3[i], p, protocol[i]);
        hashes[i] = hash;
        home = keyed ? Buckets.bucket(base, spread, count, hash) : 0;
      }
      found[i] = home;
    }
    touch(found, n);
  }

  /** A loop of nothing else: the processor has dozens of these loads under way at once. */
  private void touch(long[] lines, int n) {
    long touched = 0;
    for (int i = 0; i < n; i++) {
      long line = lines[i];
      if (line != 0) {
        touched += Memory.getLong(Memory.address(line));
      }
    }
    sink = touched;
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
    long base = table.entries();
    long[] homes = bucket;
    long[] candidates = candidate;
    int[] hashes = v.hash;
    int n = v.size;
    for (int i = 0; i < n; i++) {
      long b = homes[i];
      candidates[i] = b == 0 ? 0 : FlowTable.candidate(base, Memory.address(b), hashes[i]);
    }
    touch(candidates, n);
  }

  /**
   * Established flows, by far the most, in a loop that calls nothing. What has another flow's tag,
   * or a state that follows its packets, is left in {@link #rest}; returns how many.
   */
  private int compare(PacketVector v) {
    Buckets index = buckets;
    boolean moving = table.index.isMoving();
    long[] homes = bucket;
    long[] candidates = candidate;
    long[] address = v.address;
    long[] addresses = v.addresses;
    long[] flow = v.flow;
    int[] l3 = v.l3;
    int[] flags = v.flags;
    int[] ports = v.ports;
    int[] protocol = v.protocol;
    int[] others = rest;
    int now = tick;
    int left = 0;
    for (int i = 0, n = v.size; i < n; i++) {
      long b = homes[i];
      if (b == 0) {
        continue;
      }
      long entry = Memory.address(candidates[i]);
      if (entry == 0) {
        if (moving || index.next(b) != 0) {
          others[left++] = i;
        }
        continue;
      }
      int f = flags[i];
      boolean same =
          (f & PacketVector.IPV6) == 0
              ? Memory.getLong(entry + KEY)
                      == FlowLayout.key(ports[i], FlowLayout.IPV4, protocol[i])
                  && Memory.getLong(entry + ADDRESSES) == addresses[i]
              : holds6(entry, address[i] + l3[i], ports[i], protocol[i]);
      if (!same
          || (f & (PacketVector.TCP_SYN | PacketVector.TCP_END)) != 0
          || Memory.getByte(entry + WATCHED) != 0) {
        others[left++] = i;
        continue;
      }
      if (Memory.getInt(entry + LAST_SEEN) != now) {
        Memory.putInt(entry + LAST_SEEN, now);
      }
      flow[i] = entry;
    }
    return left;
  }

  private static boolean holds6(long entry, long l3, int ports, int protocol) {
    return FlowIndex.holds(
        entry,
        FlowLayout.key(ports, FlowLayout.IPV6, protocol),
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
    long key = FlowLayout.key(v.ports[i], FlowLayout.IPV4, v.protocol[i]);
    return table.find(v.hash[i], key, v.addresses[i]);
  }

  private long find6(PacketVector v, int i, long l3) {
    return table.find(
        v.hash[i],
        FlowLayout.key(v.ports[i], FlowLayout.IPV6, v.protocol[i]),
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
