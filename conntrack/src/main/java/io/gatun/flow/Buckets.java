package io.gatun.flow;

import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.NUMBERS;
import static io.gatun.flow.FlowLayout.OVERFLOW;
import static io.gatun.flow.FlowLayout.SLOTS;
import static io.gatun.flow.FlowLayout.TAGS;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;

/**
 * One array of buckets of one cache line, from a hash to entry numbers. Readers lock nothing;
 * whoever changes a bucket holds its lock, which is {@link FlowIndex}'s.
 *
 * <p>A slot whose number is 0 is empty, whatever its tag. A bucket that is full continues in an
 * overflow bucket, which goes back when it is the last of its chain and empty; a reader still in it
 * misses nothing, for there was nothing in it. With four entries to a bucket on average one in
 * three hundred has more than its ten slots, and none has more than a chain's: whoever makes up
 * tuples of one hash, as a flood could, is refused there and slows nobody down.
 */
final class Buckets implements AutoCloseable {
  /** Tags of a bucket are compared four at a time: one 16-bit lane each. */
  static final long LANES = 0x0001_0001_0001_0001L;

  private static final long TOPS = 0x8000_8000_8000_8000L;

  /** Longs that tags stand in: four, four, and two of which the upper half is the overflow. */
  static final int WORDS = 3;

  private static final long LAST_TOPS = 0x8000_8000L;

  /** The last slot's bit in {@link #lastHits}. */
  private static final long LAST_SLOT = 1L << 18;

  /** Buckets of a chain at most. */
  private static final int CHAIN = 4;

  /** Of the buckets, as many more for overflow. */
  private static final int OVERFLOW_SHARE = 16;

  final long base;

  /** How many, overflow buckets excluded. */
  final int count;

  private final NativeArea area;
  private final SpinLocks overflowLock = new SpinLocks(1);
  private final int[] freeOverflow;
  private int freeOverflowCount;

  /**
   * Room for {@code flows} flows, that is twice as many entries, four to a bucket on average.
   *
   * @param multiple of which there are many buckets, so that each is in the realm of one lock
   */
  Buckets(int flows, int multiple) {
    count = (least(flows) + multiple - 1) / multiple * multiple;
    int overflow = count / OVERFLOW_SHARE + 16;
    area = NativeArea.map("flow buckets", (long) (count + overflow) * LINE);
    base = area.address();
    freeOverflow = new int[overflow];
    for (int i = 0; i < overflow; i++) {
      freeOverflow[i] = count + overflow - 1 - i;
    }
    freeOverflowCount = overflow;
  }

  static int least(int flows) {
    return Math.max(16, (flows + 1) / 2);
  }

  long bytes() {
    return area.bytes();
  }

  long bucket(int hash) {
    return bucket(base, count, hash & 0xFFFF_FFFFL);
  }

  /**
   * The upper half of a 32 by 32 bit product spreads evenly over any number of buckets. {@code
   * hash}: unsigned.
   */
  static long bucket(long base, int buckets, long hash) {
    return base + (hash * buckets >>> 32) * LINE;
  }

  /** The bucket that {@code bucket} continues in, 0 for none. */
  long next(long bucket) {
    int number = Memory.getIntAcquire(bucket + OVERFLOW);
    return number == 0 ? 0 : base + (long) number * LINE;
  }

  static long tagLanes(long hash) {
    return (hash & 0xFFFFL) * LANES;
  }

  /**
   * Of a bucket's first two words of tags: one bit for each slot that has the tag, slot {@code 4
   * word + lane} at {@code 16 lane + word}; {@link #lastHits} belongs to it. The lowest of all is
   * right, others may not be.
   */
  static long hits(long first, long second, long tagLanes) {
    return matches(first, tagLanes) >>> 15 | matches(second, tagLanes) >>> 14;
  }

  /** The same of the last word; whoever has to go on elsewhere finds the last slot hit, too. */
  static long lastHits(long last, long tagLanes) {
    return (matches(last, tagLanes) & LAST_TOPS) >>> 13 | -(last >>> 32) >> 63 & LAST_SLOT;
  }

  /** The number in the slot of the lowest of {@code hits}, which are some; 0 for an empty slot. */
  static int firstNumber(long bucket, long hits) {
    int first = Long.numberOfTrailingZeros(hits);
    int slot = (first >>> 4) + ((first & 3) << 2);
    // Plain: the address of whatever is read next depends on this value.
    return Memory.getInt(bucket + NUMBERS + 4L * slot);
  }

  /** Top bit of each lane of word {@code word} whose slot has the tag; see {@link #matches}. */
  static long matches(long bucket, int word, long tagLanes) {
    long tops = matches(Memory.getLong(bucket + TAGS + 8L * word), tagLanes);
    return word == WORDS - 1 ? tops & LAST_TOPS : tops;
  }

  /** Top bit of each lane where {@code tags} has the tag; a lane above a match may be wrong. */
  private static long matches(long tags, long tagLanes) {
    long x = tags ^ tagLanes;
    return (x - LANES) & ~x & TOPS;
  }

  /** An empty slot for {@code hash}, its tag written; 0 when there is no room. Locked. */
  long reserve(int hash) {
    long bucket = bucket(hash);
    for (int line = 0; line < CHAIN; line++) {
      for (int i = 0; i < SLOTS; i++) {
        long slot = bucket + NUMBERS + 4L * i;
        if (Memory.getInt(slot) == 0) {
          Memory.putShort(bucket + TAGS + 2L * i, hash);
          return slot;
        }
      }
      long next = next(bucket);
      if (next == 0 && line < CHAIN - 1) {
        next = extend(bucket);
      }
      if (next == 0) {
        return 0;
      }
      bucket = next;
    }
    return 0;
  }

  private long extend(long bucket) {
    overflowLock.lock(0);
    int number = freeOverflowCount == 0 ? 0 : freeOverflow[--freeOverflowCount];
    overflowLock.unlock(0);
    if (number == 0) {
      return 0;
    }
    Memory.putIntRelease(bucket + OVERFLOW, number);
    return base + (long) number * LINE;
  }

  /** Empties the slot that holds {@code number}; false when there is none. Locked. */
  boolean clear(int hash, int number) {
    long before = 0;
    long bucket = bucket(hash);
    while (bucket != 0) {
      for (int i = 0; i < SLOTS; i++) {
        long slot = bucket + NUMBERS + 4L * i;
        if (Memory.getInt(slot) == number) {
          Memory.putIntRelease(slot, 0);
          shorten(before, bucket);
          return true;
        }
      }
      before = bucket;
      bucket = next(bucket);
    }
    return false;
  }

  boolean holds(int hash, int number) {
    for (long bucket = bucket(hash); bucket != 0; bucket = next(bucket)) {
      for (int i = 0; i < SLOTS; i++) {
        if (Memory.getInt(bucket + NUMBERS + 4L * i) == number) {
          return true;
        }
      }
    }
    return false;
  }

  private void shorten(long before, long bucket) {
    if (before == 0 || Memory.getInt(bucket + OVERFLOW) != 0) {
      return;
    }
    for (int i = 0; i < SLOTS; i++) {
      if (Memory.getInt(bucket + NUMBERS + 4L * i) != 0) {
        return;
      }
    }
    int number = Memory.getInt(before + OVERFLOW);
    Memory.putIntRelease(before + OVERFLOW, 0);
    overflowLock.lock(0);
    freeOverflow[freeOverflowCount++] = number;
    overflowLock.unlock(0);
  }

  @Override
  public void close() {
    area.close();
  }
}
