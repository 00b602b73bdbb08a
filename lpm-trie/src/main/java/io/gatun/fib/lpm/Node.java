package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;

/**
 * Layout of a node, and the way through it. {@code base} is the address of the area, {@code unit} a
 * node's number in it. Safe for any number of readers: a node does not change once it can be found.
 */
final class Node {
  static final int BYTES = 64;
  static final int SLOTS = 256;

  /** Bytes of a unit; the address of unit n is {@code base + n * UNIT}. */
  static final int UNIT = 16;

  /** The largest next hop: a leaf has 16 bits, and one of them says that it is a child. */
  static final int MAX_NEXT_HOP = 0x7FFF;

  static final int LEAF_BYTES = 2;
  static final int CHILD_BYTES = 4;

  /** 4 longs; bit n of the whole is set when slot n has another leaf than slot n − 1. */
  static final int BIT_MAP = 0;

  /**
   * 4 ints: for each word of the bit map the leaf, in units of 2 bytes, that is in force before it.
   */
  static final int LEAVES = 32;

  /** An int: where the children's numbers begin, in units of 4 bytes. */
  static final int CHILDREN = 48;

  /** What fits here, children first, needs no block. */
  static final int INLINE = 52;

  static final int INLINE_BYTES = BYTES - INLINE;

  private Node() {}

  static long address(long base, int unit) {
    return base + (unit & 0xFFFF_FFFFL) * UNIT;
  }

  /** The node for the first 16 bits of an address. */
  static long root(long base, int index) {
    // No acquire: the address of the next load depends on the value of this one, and every
    // processor
    // that the JVM runs on keeps dependent loads in order.
    return address(base, Memory.getInt(base + index * 4L));
  }

  /** The leaf that is in force at {@code slot}: a next hop, or negative for a child. */
  static short leaf(long base, long node, int slot) {
    int word = slot >>> 6;
    long starts = Memory.getLong(node + BIT_MAP + word * 8L) & (-1L >>> ~slot);
    long leaf = (Memory.getInt(node + LEAVES + word * 4L) & 0xFFFF_FFFFL) + Long.bitCount(starts);
    return (short) Memory.getShort(base + leaf * LEAF_BYTES);
  }

  /** The child that a negative {@code leaf} of {@code node} stands for. */
  static long child(long base, long node, int leaf) {
    return address(base, childUnit(base, node, leaf));
  }

  static int childUnit(long base, long node, int leaf) {
    long children = Memory.getInt(node + CHILDREN) & 0xFFFF_FFFFL;
    return Memory.getInt(base + (children + (leaf & MAX_NEXT_HOP)) * CHILD_BYTES);
  }
}
