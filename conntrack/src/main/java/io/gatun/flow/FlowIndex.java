package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.NUMBERS;
import static io.gatun.flow.FlowLayout.SLOTS;

import io.gatun.ffm.memory.Memory;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds entries by their keys. Many readers without locks, which are between two quiescent points;
 * many writers, which hold the locks of the hashes that they change.
 *
 * <p>While the index grows there are two arrays of buckets: entries move from the older to the
 * current one, bucket by bucket, each first in and then out. So whoever looks into the older one
 * first and then into the current one misses none. A lock covers the same hashes in both.
 */
final class FlowIndex implements AutoCloseable {
  private static final int MOST_LOCKS = 1 << 12;
  private static final int BUCKETS_A_LOCK = 16;

  /** Where entries are counted from. */
  private final long entries;

  private final SpinLocks locks;
  private final int lockCount;

  /** Set before {@link #current} is, and read after it. */
  private volatile @Nullable Buckets older;

  private volatile Buckets current;

  /** For {@code flows} flows until it grows. */
  FlowIndex(long entries, int flows) {
    this.entries = entries;
    int most = Math.clamp(Buckets.least(flows) / BUCKETS_A_LOCK, 1, MOST_LOCKS);
    lockCount = Integer.highestOneBit(most);
    locks = new SpinLocks(lockCount);
    current = new Buckets(flows, lockCount);
  }

  /** To be read once a vector, before {@link #isMoving}. */
  Buckets current() {
    return current;
  }

  /** What is not in {@link #current} may be in the older array. */
  boolean isMoving() {
    return older != null;
  }

  long bytes() {
    Buckets moving = older;
    return current.bytes() + (moving == null ? 0 : moving.bytes());
  }

  /** Entry of an IPv4 key, 0 for none. */
  long find(int hash, long key, long addresses) {
    Buckets now = current;
    Buckets before = older;
    long entry = before == null ? 0 : find(before, hash, key, addresses);
    return entry != 0 ? entry : find(now, hash, key, addresses);
  }

  private long find(Buckets in, int hash, long key, long addresses) {
    long lanes = Buckets.tagLanes(hash);
    for (long bucket = in.bucket(hash); bucket != 0; bucket = in.next(bucket)) {
      for (int word = 0; word < Buckets.WORDS; word++) {
        long hits = Buckets.matches(bucket, word, lanes);
        for (; hits != 0; hits &= hits - 1) {
          long entry = entryOf(bucket, word, hits);
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

  /** Entry of an IPv6 key, 0 for none. */
  long find(int hash, long key, long s0, long s1, long d0, long d1) {
    Buckets now = current;
    Buckets before = older;
    long entry = before == null ? 0 : find(before, hash, key, s0, s1, d0, d1);
    return entry != 0 ? entry : find(now, hash, key, s0, s1, d0, d1);
  }

  private long find(Buckets in, int hash, long key, long s0, long s1, long d0, long d1) {
    long lanes = Buckets.tagLanes(hash);
    for (long bucket = in.bucket(hash); bucket != 0; bucket = in.next(bucket)) {
      for (int word = 0; word < Buckets.WORDS; word++) {
        long hits = Buckets.matches(bucket, word, lanes);
        for (; hits != 0; hits &= hits - 1) {
          long entry = entryOf(bucket, word, hits);
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

  private long entryOf(long bucket, int word, long hits) {
    long slot = bucket + NUMBERS + 16L * word + (Long.numberOfTrailingZeros(hits) >>> 4) * 4L;
    // Acquire: pairs with publish, the entry is whole when its number is seen.
    int number = Memory.getIntAcquire(slot);
    return number == 0 ? 0 : entry(entries, number);
  }

  /**
   * Entry numbers count lines: 2 is the first flow's original direction, 3 its reply's. Below them
   * stands a line of zeros, the entry of an empty slot: no packet has its key.
   */
  static long entry(long entries, int number) {
    return entries + number * (long) LINE;
  }

  /** Of the packets that {@code entry} is for. */
  static int hash(long entry) {
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

  /** The line that whoever looks for {@code hash} reads first. */
  long home(int hash) {
    return current.bucket(hash);
  }

  private int lockOf(int hash) {
    return (int) ((hash & 0xFFFF_FFFFL) * lockCount >>> 32);
  }

  /** Locks both hashes' buckets, lower number first, so that two threads never wait in a ring. */
  void lock(int hash, int otherHash) {
    int a = lockOf(hash);
    int b = lockOf(otherHash);
    locks.lock(Math.min(a, b));
    if (a != b) {
      locks.lock(Math.max(a, b));
    }
  }

  void unlock(int hash, int otherHash) {
    int a = lockOf(hash);
    int b = lockOf(otherHash);
    locks.unlock(a);
    if (a != b) {
      locks.unlock(b);
    }
  }

  /** An empty slot for {@code hash}, its tag written; 0 when there is no room. Locked. */
  long reserve(int hash) {
    return current.reserve(hash);
  }

  /** Empties the slot that holds {@code number}; false when there is none. Locked. */
  boolean clear(int hash, int number) {
    if (current.clear(hash, number)) {
      return true;
    }
    Buckets moving = older; // after current, so that one of the two has it
    return moving != null && moving.clear(hash, number);
  }

  /** Whether {@code number} can be found. Locked. */
  boolean holds(int hash, int number) {
    if (current.holds(hash, number)) {
      return true;
    }
    Buckets moving = older;
    return moving != null && moving.holds(hash, number);
  }

  /** Grower: from now on new entries go into an array for {@code flows} flows. */
  void announce(int flows) {
    Buckets next = new Buckets(flows, lockCount);
    older = current;
    current = next;
  }

  /**
   * Grower, when every reader knows of both arrays: moves what is in bucket {@code number} of the
   * older one. False when there was no room for all of it.
   */
  boolean move(int number) {
    Buckets from = Objects.requireNonNull(older);
    int lock = (int) ((long) number * lockCount / from.count);
    locks.lock(lock);
    boolean all = true;
    for (long bucket = from.base + number * (long) LINE; bucket != 0; bucket = from.next(bucket)) {
      for (int i = 0; i < SLOTS; i++) {
        int entry = Memory.getInt(bucket + NUMBERS + 4L * i);
        if (entry != 0) {
          long slot = current.reserve(hash(entry(entries, entry)));
          if (slot == 0) {
            all = false;
          } else {
            Memory.putIntRelease(slot, entry); // in, and only then out
            Memory.putIntRelease(bucket + NUMBERS + 4L * i, 0);
          }
        }
      }
    }
    locks.unlock(lock);
    return all;
  }

  /** Grower: how many buckets there are to be moved. */
  int olderBuckets() {
    Buckets moving = older;
    return moving == null ? 0 : moving.count;
  }

  /** Grower: all are moved; returns what may be freed when no reader can look at it any more. */
  Buckets forgetOlder() {
    Buckets done = Objects.requireNonNull(older);
    older = null;
    return done;
  }

  /** Returns when nobody holds a lock who took it before the call. */
  void passLocks() {
    for (int i = 0; i < lockCount; i++) {
      locks.lock(i);
      locks.unlock(i);
    }
  }

  /** No reader may be there. */
  @Override
  public void close() {
    current.close();
    Buckets moving = older;
    if (moving != null) {
      moving.close();
    }
  }
}
