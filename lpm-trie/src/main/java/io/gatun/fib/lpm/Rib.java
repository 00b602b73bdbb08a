package io.gatun.fib.lpm;

import java.util.Arrays;

/**
 * All prefixes and their next hops as they were given: what the lookup table is made from. Used by
 * the writer only.
 *
 * <p>A path-compressed binary trie (PATRICIA) in parallel arrays. Entry 0 is nobody. An entry is a
 * prefix, or a mere fork, with next hop 0, where two longer ones part. A lookup, an insertion and a
 * deletion cost as many steps as prefixes and forks contain the one in question.
 */
final class Rib {
  static final int NOBODY = 0;

  private long[] high = new long[64];
  private long[] low = new long[64];
  private short[] length = new short[64];
  private int[] nextHop = new int[64];
  private int[][] child = {new int[64], new int[64]};
  private int used = 1;

  /** Freed entries, linked by {@code child[0]}. */
  private int free;

  private int root;
  private int size;

  /** Number of prefixes. */
  int size() {
    return size;
  }

  int length(int entry) {
    return length[entry];
  }

  /** Next hop of the entry, 0 for a fork. */
  int nextHop(int entry) {
    return nextHop[entry];
  }

  /** The longer entries whose next bit is {@code side}, {@link #NOBODY} for none. */
  int child(int entry, int side) {
    return child[side][entry];
  }

  /** The first word of the entry's prefix. */
  long high(int entry) {
    return high[entry];
  }

  long low(int entry) {
    return low[entry];
  }

  /** Bits {@code start} to {@code end} of the entry's prefix, which do not cross a word. */
  int bits(int entry, int start, int end) {
    return Prefix.bits(high[entry], low[entry], start, end);
  }

  /**
   * Adds the prefix or replaces its next hop; returns its entry, {@link #NOBODY} when it was there
   * with that next hop.
   */
  int put(Prefix prefix, int hop) {
    int parent = NOBODY;
    int entry = root;
    int side = 0;
    while (entry != NOBODY) {
      int common = common(entry, prefix);
      if (common < length[entry]) {
        int own = create(prefix, hop);
        int joint = common == prefix.length() ? own : fork(prefix, common, own);
        child[Prefix.bits(high[entry], low[entry], common, common + 1)][joint] = entry;
        link(parent, side, joint);
        return own;
      }
      if (common == prefix.length()) {
        if (nextHop[entry] == hop) {
          return NOBODY;
        }
        size += nextHop[entry] == 0 ? 1 : 0;
        nextHop[entry] = hop;
        return entry;
      }
      parent = entry;
      side = prefix.bit(common);
      entry = child[side][entry];
    }
    int own = create(prefix, hop);
    link(parent, side, own);
    return own;
  }

  /** A fork of {@code common} bits with the prefix's entry as one of its two children. */
  private int fork(Prefix prefix, int common, int leaf) {
    int joint = create(prefix.shortenedTo(common), 0);
    child[prefix.bit(common)][joint] = leaf;
    return joint;
  }

  /** True when it was there. */
  boolean remove(Prefix prefix) {
    int grandparent = NOBODY;
    int parent = NOBODY;
    int entry = root;
    while (entry != NOBODY && length[entry] < prefix.length()) {
      if (common(entry, prefix) < length[entry]) {
        return false;
      }
      grandparent = parent;
      parent = entry;
      entry = child[prefix.bit(length[entry])][entry];
    }
    if (entry == NOBODY || !is(entry, prefix) || nextHop[entry] == 0) {
      return false;
    }
    nextHop[entry] = 0;
    size--;
    collapse(entry, parent);
    if (parent != NOBODY && nextHop[parent] == 0) {
      collapse(parent, grandparent);
    }
    return true;
  }

  /** Takes a fork that parts nothing out of the trie. */
  private void collapse(int entry, int parent) {
    int zero = child[0][entry];
    int one = child[1][entry];
    if (zero != NOBODY && one != NOBODY) {
      return;
    }
    int side = parent != NOBODY && child[1][parent] == entry ? 1 : 0;
    link(parent, side, zero == NOBODY ? one : zero);
    child[0][entry] = free;
    child[1][entry] = NOBODY;
    free = entry;
  }

  /** Next hop of exactly this prefix, 0 for none. */
  int nextHop(Prefix prefix) {
    int entry = within(prefix);
    return entry != NOBODY && length[entry] == prefix.length() ? nextHop[entry] : 0;
  }

  /** Next hop of the longest prefix of at most {@code limit} bits that contains this one, or 0. */
  int covering(Prefix prefix, int limit) {
    int found = 0;
    int entry = root;
    while (entry != NOBODY && length[entry] <= limit && common(entry, prefix) == length[entry]) {
      if (nextHop[entry] != 0) {
        found = nextHop[entry];
      }
      if (length[entry] == prefix.length()) {
        break;
      }
      entry = child[prefix.bit(length[entry])][entry];
    }
    return found;
  }

  /** The shortest entry that this prefix contains, itself included; NOBODY for none. */
  int within(Prefix prefix) {
    int entry = root;
    while (entry != NOBODY && length[entry] < prefix.length()) {
      entry = child[prefix.bit(length[entry])][entry];
    }
    return entry != NOBODY && common(entry, prefix) == prefix.length() ? entry : NOBODY;
  }

  /** Whether the entry and those below it are more than {@code limit}; costs as many steps. */
  boolean isMore(int entry, int limit) {
    return left(entry, limit + 1) == 0;
  }

  private int left(int entry, int limit) {
    return entry == NOBODY || limit == 0
        ? limit
        : left(child[1][entry], left(child[0][entry], limit - 1));
  }

  private boolean is(int entry, Prefix prefix) {
    return length[entry] == prefix.length() && common(entry, prefix) == prefix.length();
  }

  /** How many bits the entry and the prefix begin alike, at most the shorter one's length. */
  private int common(int entry, Prefix prefix) {
    long differs = high[entry] ^ prefix.high();
    int alike =
        differs != 0
            ? Long.numberOfLeadingZeros(differs)
            : 64 + Long.numberOfLeadingZeros(low[entry] ^ prefix.low());
    return Math.min(alike, Math.min(length[entry], prefix.length()));
  }

  private void link(int parent, int side, int entry) {
    if (parent == NOBODY) {
      root = entry;
    } else {
      child[side][parent] = entry;
    }
  }

  private int create(Prefix prefix, int hop) {
    int entry = free;
    if (entry != NOBODY) {
      free = child[0][entry];
    } else {
      entry = used++;
      if (entry == length.length) {
        grow();
      }
    }
    high[entry] = prefix.high();
    low[entry] = prefix.low();
    length[entry] = (short) prefix.length();
    nextHop[entry] = hop;
    child[0][entry] = NOBODY;
    child[1][entry] = NOBODY;
    size += hop == 0 ? 0 : 1;
    return entry;
  }

  private void grow() {
    int larger = length.length * 2;
    high = Arrays.copyOf(high, larger);
    low = Arrays.copyOf(low, larger);
    length = Arrays.copyOf(length, larger);
    nextHop = Arrays.copyOf(nextHop, larger);
    child = new int[][] {Arrays.copyOf(child[0], larger), Arrays.copyOf(child[1], larger)};
  }
}
