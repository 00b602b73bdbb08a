package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;

/**
 * Layout of a node, and the way through it. {@code base} is the address of the area, {@code unit} a
 * node's number in it. Safe for any number of readers: a node does not change once it can be found.
 *
 * <p>A <i>leaf</i> is an int: a next hop, 0 for none, or the unit of a child with the top bit set
 * and the next one clear, or in the root's nodes a {@link Lone} one, which has both set.
 */
final class Node {
  /** Bits of an address that a node looks at. */
  static final int STRIDE = 6;

  static final int SLOTS = 1 << STRIDE;

  /** Bytes of a unit; the address of unit n is {@code base + n * UNIT}. */
  static final int UNIT = 16;

  /** The largest next hop: the writer keeps a node for each that was ever in force. */
  static final int MAX_NEXT_HOP = 0x7FFF;

  static final int LEAF_BYTES = 4;
  static final int ROOT_SLOT_BYTES = 4;

  /** A long; bit n is set when slot n has another leaf than slot n − 1, bit 0 never. */
  static final int BIT_MAP = 0;

  /** One int more than the map has bits. */
  static final int LEAVES = 8;

  /** A node below another one has its guard before it, and its unit is the guard's. */
  static final int GUARD_BYTES = 16;

  /**
   * A long: the bits before the node's own of one word of the address, to the right. Another
   * address is not among the node's.
   */
  static final int PREFIX = 0;

  /** An int, the leaf of all other addresses: a next hop. */
  static final int MISS = 8;

  /** An int: how far the word is shifted for the node's bits to be the last; + 64: the low word. */
  static final int SHIFT = 12;

  static final int LOW_WORD = 64;

  private static final int CHILD = 1 << 31;

  private Node() {}

  static int ofChild(int unit) {
    return unit | CHILD;
  }

  static boolean isChild(int leaf) {
    return leaf >>> 30 == 0b10;
  }

  static boolean isNextHop(int leaf) {
    return leaf >= 0;
  }

  /** The unit of a child; of a flat root's node as it is. */
  static int unit(int leaf) {
    return leaf & ~CHILD;
  }

  static long address(long base, int unit) {
    return Memory.address(base + (long) unit * UNIT);
  }

  /** The entry of a root, or of a root's page, for the bits {@code index}. */
  static int root(long base, long index) {
    // No acquire: the address of the next load depends on the value of this one, and every
    // processor that the JVM runs on keeps dependent loads in order.
    return Memory.getInt(base + index * ROOT_SLOT_BYTES);
  }

  /** The leaf of the node (behind its guard) that is in force at the last 6 bits of a slot. */
  static int leaf(long node, int slot) {
    long starts = Memory.getLong(node + BIT_MAP) & (-1L >>> ~slot);
    return Memory.getInt(node + LEAVES + Long.bitCount(starts) * (long) LEAF_BYTES);
  }

  /**
   * What the child {@code leaf} says of an address. No branch: which way it goes is anyone's guess.
   */
  static int next(long base, int leaf, long high, long low) {
    long guard = address(base, unit(leaf));
    int shift = Memory.getInt(guard + SHIFT);
    long inLow = -(long) (shift >>> 6);
    long bits = (high ^ (high ^ low) & inLow) >>> shift;
    long differs = bits >>> STRIDE ^ Memory.getLong(guard + PREFIX);
    int hit = leaf(guard + GUARD_BYTES, (int) bits);
    int missed = (int) ((differs | -differs) >> 63);
    return hit ^ (hit ^ Memory.getInt(guard + MISS)) & missed;
  }
}
