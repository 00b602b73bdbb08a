package io.gatun.flow;

import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.TAGS;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.Prefetch;
import io.gatun.pipeline.PacketVector;
import java.lang.foreign.MemorySegment;

/**
 * The entry that each packet of a vector may have, told by its tag in its bucket: a column. Owned
 * by one worker.
 *
 * <p>Pass by pass, so that cache misses overlap: where the buckets are; their lines asked for; tags
 * read; tags compared (a loop of vector instructions, see {@link TupleColumns}); numbers read, the
 * entries' lines asked for. The passes go over a part of the vector at a time, and {@link
 * TrackStage} works on one part while the lines of the next are on their way. No pass branches on
 * what it found, which nobody could guess where some packets have flows and others have not; but
 * where hardly any packet of a part has one, those few are listed and the others are done with.
 */
final class Candidates {
  /** Packets of a part: lines of a few parts fit the first-level cache, and the loops are long. */
  static final int PART = 128;

  /** Of a part's packets, few: below, a list is cheaper than a column. */
  private static final int FEW = 8;

  /** Beside the line of zeros, where reading does no harm: no entry is there. */
  private static final int NONE = 8;

  private final long[] bucket = new long[PacketVector.CAPACITY];
  private final long[] first = new long[PacketVector.CAPACITY];
  private final long[] second = new long[PacketVector.CAPACITY];
  private final long[] third = new long[PacketVector.CAPACITY];
  private final long[] hits = new long[PacketVector.CAPACITY];
  private final MemorySegment buckets = MemorySegment.ofArray(bucket);

  /** Entries, or {@link #none}; of parts that have them, see {@link #look}. */
  final long[] entry = new long[PacketVector.CAPACITY];

  private final MemorySegment lines = MemorySegment.ofArray(entry);

  /** Packets of the other parts that may have an entry. */
  final int[] few = new int[PacketVector.CAPACITY];

  private int listed;

  /** Stands for a packet without an entry. */
  final long none;

  private final long zeros;
  private long[] mixed = {};

  /** {@code entries}: where entries are counted from. */
  Candidates(long entries) {
    zeros = entries;
    none = entries + NONE;
  }

  /** Finds the buckets of {@code v}, whose keys and hashes are in {@code tuples}. */
  void of(PacketVector v, TupleColumns tuples, Buckets index) {
    int n = v.size;
    listed = 0;
    mixed = tuples.mixed;
    homes(mixed, bucket, index.base, index.count, n);
    if (!tuples.isPlain()) {
      for (int i = 0; i < n; i++) {
        if (!TupleColumns.isKeyed(v, i)) {
          bucket[i] = zeros; // a line of zeros is an empty bucket, too
        }
      }
    }
  }

  /** How many {@link #few} there are. */
  int listed() {
    return listed;
  }

  /** Whether packet {@code i} has a bucket. */
  boolean isKeyed(int i) {
    return bucket[i] != zeros;
  }

  /** Asks for the buckets' lines. */
  void ask(int from, int to) {
    if (from < to) {
      Prefetch.lines(buckets, from, to);
    }
  }

  /**
   * Looks for packets {@code from} to {@code to} and asks for the lines of the entries that they
   * may have. Returns whether {@link #entry} was filled; if not, some were appended to {@link
   * #few}, and no other has an entry. Whose bucket goes on elsewhere has a candidate in any case.
   */
  boolean look(int from, int to) {
    tags(bucket, first, second, third, from, to);
    match(mixed, first, second, hits, from, to);
    matchLast(mixed, third, hits, from, to);
    int end = to;
    boolean many = hits(hits, from, to) * FEW > to - from;
    if (many) {
      choose(from, to);
    } else {
      end = list(from, to);
    }
    if (from < end) {
      Prefetch.lines(lines, from, end);
    }
    return many;
  }

  private static void homes(long[] mixed, long[] bucket, long base, int buckets, int n) {
    for (int i = 0; i < n; i++) {
      bucket[i] = Buckets.bucket(base, buckets, mixed[i] >>> 32);
    }
  }

  private static void tags(
      long[] bucket, long[] first, long[] second, long[] third, int from, int to) {
    for (int i = from; i < to; i++) {
      long tags = Memory.address(bucket[i]) + TAGS;
      first[i] = Memory.getLong(tags);
      second[i] = Memory.getLong(tags + 8);
      third[i] = Memory.getLong(tags + 16);
    }
  }

  private static void match(
      long[] mixed, long[] first, long[] second, long[] hits, int from, int to) {
    for (int i = from; i < to; i++) {
      hits[i] = Buckets.hits(first[i], second[i], Buckets.tagLanes(mixed[i] >>> 32));
    }
  }

  /** A loop of its own: the compiler makes no vector instructions of larger ones. */
  private static void matchLast(long[] mixed, long[] third, long[] hits, int from, int to) {
    for (int i = from; i < to; i++) {
      hits[i] |= Buckets.lastHits(third[i], Buckets.tagLanes(mixed[i] >>> 32));
    }
  }

  private static int hits(long[] hits, int from, int to) {
    long count = 0;
    for (int i = from; i < to; i++) {
      count += someBit(hits[i]);
    }
    return (int) count;
  }

  /** 1 where some bit is set, without a branch. */
  private static long someBit(long bits) {
    return (bits | -bits) >>> 63;
  }

  private void choose(int from, int to) {
    long base = zeros;
    long no = none;
    long[] homes = bucket;
    long[] found = hits;
    long[] entries = entry;
    for (int i = from; i < to; i++) {
      long hit = found[i];
      long candidate = base + Buckets.firstNumber(Memory.address(homes[i]), hit) * (long) LINE;
      entries[i] = no + (candidate - no & -someBit(hit));
    }
  }

  /** Returns where their entries end, which stand from {@code from} on. */
  private int list(int from, int to) {
    int before = listed;
    int k = before;
    for (int i = from; i < to; i++) {
      few[k] = i;
      k += (int) someBit(hits[i]);
    }
    listed = k;
    int end = from;
    for (int j = before; j < k; j++) {
      int i = few[j];
      entry[end++] = zeros + Buckets.firstNumber(Memory.address(bucket[i]), hits[i]) * (long) LINE;
    }
    return end;
  }
}
