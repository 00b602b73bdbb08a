package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;

/**
 * A leaf of the root's nodes that says it all where one longer prefix is alone in a slot: most
 * slots of a table of host routes are such ones, and their answer lies on the line that was read
 * already. Safe for any number of readers.
 *
 * <pre>
 *   31 30 29        15 14         6 5         0
 *   │1  1│ next hop   │ rest       │ miss      │
 *   rest: the prefix's bits behind the node's, at most 8, then a 1, then zeros
 *   miss: which leaf of the node is the next hop of the slot's other addresses
 * </pre>
 */
final class Lone {
  /** Most bits that the prefix may have behind the node's. */
  static final int BITS = 8;

  private static final int FLAGS = 0b11 << 30;
  private static final int HOP_AT = 15;
  private static final int REST_AT = 6;
  private static final int REST = (1 << BITS + 1) - 1;
  private static final int INDEX = (1 << REST_AT) - 1;

  private Lone() {}

  /** Without its miss. {@code bits} are the prefix's {@code count} last ones. */
  static int of(int nextHop, int bits, int count) {
    int rest = (bits << 1 | 1) << (BITS - count);
    return FLAGS | nextHop << HOP_AT | rest << REST_AT;
  }

  static boolean is(int leaf) {
    return leaf >>> 30 == 0b11;
  }

  static int withMiss(int leaf, int index) {
    return leaf | index;
  }

  static int missIndex(int leaf) {
    return leaf & INDEX;
  }

  /** The same leaf before it knew where its miss is. */
  static int withoutMiss(int leaf) {
    return leaf & ~INDEX;
  }

  static int nextHop(int leaf) {
    return leaf >>> HOP_AT & Node.MAX_NEXT_HOP;
  }

  /** How many bits the prefix has behind the node's. */
  static int count(int leaf) {
    return BITS - Integer.numberOfTrailingZeros(leaf >>> REST_AT & REST);
  }

  /** Those bits, to the right. */
  static int bits(int leaf) {
    int rest = leaf >>> REST_AT & REST;
    return rest >>> Integer.numberOfTrailingZeros(rest) + 1;
  }

  /**
   * What a leaf of {@code node} says of an address whose 8 bits behind the node's are {@code next}:
   * the next hop if it is a lone one, else the leaf itself. No branch: which it is is anyone's
   * guess.
   */
  static int answer(long node, int leaf, int next) {
    int lone = leaf & leaf << 1; // bit 31: both flags
    lone >>= 31;
    int rest = leaf >>> REST_AT & REST;
    int differs = (rest ^ next << 1) >>> Integer.numberOfTrailingZeros(rest) + 1;
    int hit = leaf >>> HOP_AT & Node.MAX_NEXT_HOP;
    int miss = Memory.getInt(node + Node.LEAVES + (leaf & INDEX & lone) * (long) Node.LEAF_BYTES);
    int hop = hit ^ (hit ^ miss) & -differs >> 31;
    return leaf ^ (leaf ^ hop) & lone;
  }
}
