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
 * TrackStage} works on one part while the lines of the next are on their way.
 */
final class Candidates {
  /** Packets of a part: lines of a few parts fit the first-level cache, and the loops are long. */
  static final int PART = 128;

  /** Beside the line of zeros, where reading does no harm: no entry is there. */
  private static final int NONE = 8;

  private final long[] bucket = new long[PacketVector.CAPACITY];
  private final long[] first = new long[PacketVector.CAPACITY];
  private final long[] second = new long[PacketVector.CAPACITY];
  private final long[] third = new long[PacketVector.CAPACITY];
  private final long[] hits = new long[PacketVector.CAPACITY];
  private final MemorySegment buckets = MemorySegment.ofArray(bucket);

  /** Entries, or {@link #none}. */
  final long[] entry = new long[PacketVector.CAPACITY];

  private final MemorySegment lines = MemorySegment.ofArray(entry);

  /** Stands for a packet without an entry in the bucket's own line. */
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
    mixed = tuples.mixed;
    homes(mixed, bucket, index.base, index.spread, index.count, n);
    if (!tuples.isPlain()) {
      for (int i = 0; i < n; i++) {
        if (!TupleColumns.isKeyed(v, i)) {
          bucket[i] = zeros; // a line of zeros is an empty bucket, too
        }
      }
    }
  }

  /** Whether packet {@code i} has a bucket. */
  boolean isKeyed(int i) {
    return bucket[i] != zeros;
  }

  /** Whether the bucket of packet {@code i} goes on elsewhere. */
  boolean overflows(int i) {
    return Memory.getInt(Memory.address(bucket[i]) + FlowLayout.OVERFLOW) != 0;
  }

  /** Asks for the buckets' lines. */
  void ask(int from, int to) {
    if (from < to) {
      Prefetch.lines(buckets, from, to);
    }
  }

  /** Fills {@link #entry}, and asks for the entries' lines. */
  void look(int from, int to) {
    if (from == to) {
      return;
    }
    tags(bucket, first, second, third, from, to);
    match(mixed, first, second, hits, from, to);
    matchLast(mixed, third, hits, from, to);
    choose(from, to);
    Prefetch.lines(lines, from, to);
  }

  private static void homes(long[] mixed, long[] bucket, long base, int spread, int count, int n) {
    for (int i = 0; i < n; i++) {
      bucket[i] = Buckets.bucket(base, spread, count, mixed[i] >>> 32);
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

  private void choose(int from, int to) {
    long base = zeros;
    long no = none;
    long[] homes = bucket;
    long[] found = hits;
    long[] entries = entry;
    for (int i = from; i < to; i++) {
      long hit = found[i];
      entries[i] =
          hit == 0 ? no : base + Buckets.firstNumber(Memory.address(homes[i]), hit) * (long) LINE;
    }
  }
}
