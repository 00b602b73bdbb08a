package io.gatun.flow;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Which ports the datagrams have whose fragments are passing, and which parts of them have passed.
 * Shared by all workers, a lock per set; 4,096 datagrams, the oldest of a set makes room.
 *
 * <pre>
 *   set (512 bytes) = 4 datagrams
 *   datagram (128 bytes): addresses, identification, kind │ since, ports, protocol, state, end
 *                         up to 8 ranges of 8-byte units that have passed, adjacent ones joined
 * </pre>
 *
 * <p>A fragment that overlaps what has passed is an attack on whoever puts the datagram together
 * (RFC 1858, 3128, 5722): it goes no further, and unless it merely repeats, nothing of its datagram
 * does. A datagram makes room when it is whole, and is forgotten two seconds after its first
 * fragment came.
 */
public final class FragmentTable implements AutoCloseable {
  /** The datagram's first fragment has not been here yet. */
  static final long UNKNOWN = -1;

  /** It overlaps, or belongs to a datagram of which another did. */
  static final long OVERLAP = -2;

  /** More scattered than we keep account of. */
  static final long SCATTERED = -3;

  /**
   * Far longer than a datagram's fragments are under way, shorter than an identification's turn.
   */
  private static final long LIFE_NANOS = 2_000_000_000L;

  private static final int SETS = 1024;
  private static final int WAYS = 4;
  private static final int DATAGRAM = 128;

  // Offsets in a datagram's record.
  private static final int WORDS = 0;
  private static final int IDENTIFICATION = 32;
  private static final int KIND = 36;
  private static final int SINCE = 40;
  private static final int PORTS = 48;
  private static final int PROTOCOL = 52;
  private static final int STATE = 56;
  private static final int END = 60;
  private static final int COUNT = 64;
  private static final int RANGES = 72;
  private static final int MOST_RANGES = 8;

  // Bits of the state; 0 is a free record.
  private static final int USED = 1;
  private static final int FIRST_SEEN = 2;
  private static final int POISONED = 4;

  private final NativeArea area = NativeArea.map("fragments", (long) SETS * WAYS * DATAGRAM);
  private final SpinLocks locks = new SpinLocks(SETS);
  // Secret, so that nobody can choose datagrams that meet in one set.
  private final long secret = ThreadLocalRandom.current().nextLong() | 1;

  /**
   * Takes note of a fragment. Returns {@code protocol << 32 | ports} of its datagram, {@link
   * #UNKNOWN}, {@link #OVERLAP} or {@link #SCATTERED}. {@code ports} and {@code protocol} count if
   * it is the first.
   */
  long note(FragmentHeader f, int ports, int protocol, long now) {
    int set = set(f);
    locks.lock(set);
    long datagram = find(set, f, now);
    if (datagram == 0) {
      datagram = oldest(set);
      begin(datagram, f, now);
    } else if (whole(datagram)) {
      begin(datagram, f, now);
    }
    long result = note(datagram, f, ports, protocol);
    locks.unlock(set);
    return result;
  }

  /** What {@link #note} would say of another fragment of this datagram, without taking note. */
  long known(FragmentHeader f, long now) {
    int set = set(f);
    locks.lock(set);
    long datagram = find(set, f, now);
    long result = datagram == 0 ? UNKNOWN : answer(datagram);
    locks.unlock(set);
    return result;
  }

  private long note(long datagram, FragmentHeader f, int ports, int protocol) {
    if ((Memory.getInt(datagram + STATE) & POISONED) != 0) {
      return OVERLAP;
    }
    int end = Memory.getInt(datagram + END);
    boolean last = !f.more;
    if ((end != 0 && (f.end > end || last)) || (last && highest(datagram) > f.end)) {
      // A second last fragment, or something behind the last.
      return contained(datagram, f.start, f.end) ? OVERLAP : poison(datagram);
    }
    long added = add(datagram, f.start, f.end);
    if (added < 0) {
      return added;
    }
    if (last) {
      Memory.putInt(datagram + END, f.end);
    }
    if (f.start == 0) {
      Memory.putInt(datagram + PORTS, ports);
      Memory.putInt(datagram + PROTOCOL, protocol);
      Memory.putInt(datagram + STATE, USED | FIRST_SEEN);
    }
    return answer(datagram);
  }

  private static long answer(long datagram) {
    int state = Memory.getInt(datagram + STATE);
    if ((state & POISONED) != 0) {
      return OVERLAP;
    }
    return (state & FIRST_SEEN) == 0
        ? UNKNOWN
        : (long) Memory.getInt(datagram + PROTOCOL) << 32
            | (Memory.getInt(datagram + PORTS) & 0xFFFFFFFFL);
  }

  private static long poison(long datagram) {
    Memory.putInt(datagram + STATE, USED | POISONED);
    return OVERLAP;
  }

  /** Adds the range to those that passed, joined with its neighbours; 0, or why not. */
  private static long add(long datagram, int start, int end) {
    int count = Memory.getInt(datagram + COUNT);
    int before = -1; // the range that ends where this one starts
    int behind = -1; // the range that starts where this one ends
    for (int k = 0; k < count; k++) {
      int from = from(datagram, k);
      int to = to(datagram, k);
      if (start < to && from < end) {
        return start >= from && end <= to ? OVERLAP : poison(datagram);
      }
      before = to == start ? k : before;
      behind = from == end ? k : behind;
    }
    if (before >= 0 && behind >= 0) {
      range(datagram, before, from(datagram, before), to(datagram, behind));
      range(datagram, behind, from(datagram, count - 1), to(datagram, count - 1));
      Memory.putInt(datagram + COUNT, count - 1);
    } else if (before >= 0) {
      range(datagram, before, from(datagram, before), end);
    } else if (behind >= 0) {
      range(datagram, behind, start, to(datagram, behind));
    } else if (count == MOST_RANGES) {
      return SCATTERED;
    } else {
      range(datagram, count, start, end);
      Memory.putInt(datagram + COUNT, count + 1);
    }
    return 0;
  }

  private static boolean contained(long datagram, int start, int end) {
    for (int k = 0, count = Memory.getInt(datagram + COUNT); k < count; k++) {
      if (start >= from(datagram, k) && end <= to(datagram, k)) {
        return true;
      }
    }
    return false;
  }

  private static int highest(long datagram) {
    int highest = 0;
    for (int k = 0, count = Memory.getInt(datagram + COUNT); k < count; k++) {
      highest = Math.max(highest, to(datagram, k));
    }
    return highest;
  }

  private static int from(long datagram, int k) {
    return Memory.getShort(datagram + RANGES + 4L * k);
  }

  private static int to(long datagram, int k) {
    return Memory.getShort(datagram + RANGES + 4L * k + 2);
  }

  private static void range(long datagram, int k, int from, int to) {
    Memory.putShort(datagram + RANGES + 4L * k, from);
    Memory.putShort(datagram + RANGES + 4L * k + 2, to);
  }

  private int set(FragmentHeader f) {
    long h = (f.word0 ^ secret) * 0x9E3779B97F4A7C15L;
    h = ((h ^ h >>> 29) + f.word1) * secret;
    h = ((h ^ h >>> 32) + f.word2) * 0xBF58476D1CE4E5B9L;
    h = ((h ^ h >>> 29) + f.word3) * secret;
    h = ((h ^ h >>> 32) + f.identification + ((long) f.kind << 32)) * 0x94D049BB133111EBL;
    return (int) (h >>> 54); // 10 bits: one of 1,024 sets
  }

  private long record(int set, int way) {
    return area.address() + ((long) set * WAYS + way) * DATAGRAM;
  }

  private long find(int set, FragmentHeader f, long now) {
    for (int way = 0; way < WAYS; way++) {
      long datagram = record(set, way);
      if (Memory.getInt(datagram + STATE) != 0
          && now - Memory.getLong(datagram + SINCE) <= LIFE_NANOS
          && Memory.getInt(datagram + IDENTIFICATION) == f.identification
          && Memory.getInt(datagram + KIND) == f.kind
          && Memory.getLong(datagram + WORDS) == f.word0
          && Memory.getLong(datagram + WORDS + 8) == f.word1
          && Memory.getLong(datagram + WORDS + 16) == f.word2
          && Memory.getLong(datagram + WORDS + 24) == f.word3) {
        return datagram;
      }
    }
    return 0;
  }

  /** All of it has passed: what comes with the same identification is another datagram. */
  private static boolean whole(long datagram) {
    int end = Memory.getInt(datagram + END);
    return end != 0
        && Memory.getInt(datagram + COUNT) == 1
        && from(datagram, 0) == 0
        && to(datagram, 0) == end;
  }

  private long oldest(int set) {
    long oldest = record(set, 0);
    for (int way = 0; way < WAYS; way++) {
      long datagram = record(set, way);
      if (Memory.getInt(datagram + STATE) == 0) {
        return datagram;
      }
      if (Memory.getLong(datagram + SINCE) - Memory.getLong(oldest + SINCE) < 0) {
        oldest = datagram;
      }
    }
    return oldest;
  }

  private static void begin(long datagram, FragmentHeader f, long now) {
    Memory.zero(datagram, DATAGRAM);
    Memory.putLong(datagram + WORDS, f.word0);
    Memory.putLong(datagram + WORDS + 8, f.word1);
    Memory.putLong(datagram + WORDS + 16, f.word2);
    Memory.putLong(datagram + WORDS + 24, f.word3);
    Memory.putInt(datagram + IDENTIFICATION, f.identification);
    Memory.putInt(datagram + KIND, f.kind);
    Memory.putLong(datagram + SINCE, now);
    Memory.putInt(datagram + STATE, USED);
  }

  /** Gives the memory back; no worker may be running. */
  @Override
  public void close() {
    area.close();
  }
}
