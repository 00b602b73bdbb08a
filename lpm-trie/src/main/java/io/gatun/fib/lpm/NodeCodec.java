package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;
import java.util.function.IntConsumer;

/**
 * Nodes written from {@link Slots} and read back into them, by the writer.
 *
 * <p>A slot here is an int: a next hop, or the unit of a child with the top bit set ({@link
 * #ofChild}).
 */
final class NodeCodec {
  private static final int CHILD = 1 << 31;
  private static final int NODE_UNITS = Node.BYTES / Node.UNIT;

  private final Units units;

  NodeCodec(Units units) {
    this.units = units;
  }

  static int ofChild(int unit) {
    return unit | CHILD;
  }

  static boolean isChild(int slot) {
    return slot < 0;
  }

  static int child(int slot) {
    return slot & ~CHILD;
  }

  /** Writes a node that says {@code slots}; its unit. */
  int encode(Slots slots) {
    int leaves = 0;
    int children = 0;
    int previous = ~slots.value(0);
    for (int word = 0; word < Slots.WORDS; word++) {
      for (long left = slots.starts(word); left != 0; left &= left - 1) {
        int slot = slots.value((word << 6) + Long.numberOfTrailingZeros(left));
        if (slot != previous) {
          leaves++;
          children += isChild(slot) ? 1 : 0;
          previous = slot;
        }
      }
    }
    int bytes = children * Node.CHILD_BYTES + leaves * Node.LEAF_BYTES;
    int block = bytes <= Node.INLINE_BYTES ? 0 : units.take(unitsOf(bytes));
    int unit = units.take(NODE_UNITS);
    long base = units.base();
    long node = Node.address(base, unit);
    long childAt = block == 0 ? node + Node.INLINE : Node.address(base, block);
    long leafAt = childAt + (long) children * Node.CHILD_BYTES;
    Memory.putInt(node + Node.CHILDREN, (int) ((childAt - base) / Node.CHILD_BYTES));
    write(slots, base, node, childAt, leafAt);
    return unit;
  }

  private static void write(Slots slots, long base, long node, long childAt, long leafAt) {
    int child = 0;
    int previous = ~slots.value(0);
    // Before the first slot no leaf is in force: slot 0 begins leaf 0 without a bit.
    long leaf = leafAt - Node.LEAF_BYTES;
    for (int word = 0; word < Slots.WORDS; word++) {
      long inForce = word == 0 ? leafAt : leaf;
      Memory.putInt(node + Node.LEAVES + word * 4L, (int) ((inForce - base) / Node.LEAF_BYTES));
      long starts = 0;
      for (long left = slots.starts(word); left != 0; left &= left - 1) {
        int slot = slots.value((word << 6) + Long.numberOfTrailingZeros(left));
        if (slot != previous) {
          previous = slot;
          leaf += Node.LEAF_BYTES;
          starts |= left & -left;
          if (isChild(slot)) {
            Memory.putInt(childAt + (long) child * Node.CHILD_BYTES, child(slot));
            Memory.putShort(leaf, child | 0x8000);
            child++;
          } else {
            Memory.putShort(leaf, slot);
          }
        }
      }
      Memory.putLong(node + Node.BIT_MAP + word * 8L, word == 0 ? starts & ~1L : starts);
    }
  }

  /** Reads what the node says into {@code slots}. */
  void decode(int unit, Slots slots) {
    long base = units.base();
    long node = Node.address(base, unit);
    slots.fill(slotOf(base, node, 0));
    for (int word = 0; word < Slots.WORDS; word++) {
      for (long left = Memory.getLong(node + Node.BIT_MAP + word * 8L);
          left != 0;
          left &= left - 1) {
        int slot = (word << 6) + Long.numberOfTrailingZeros(left);
        slots.start(slot, slotOf(base, node, slot));
      }
    }
  }

  private static int slotOf(long base, long node, int slot) {
    short leaf = Node.leaf(base, node, slot);
    return leaf >= 0 ? leaf : ofChild(Node.childUnit(base, node, leaf));
  }

  /** Calls {@code visit} with each child's unit. */
  void children(int unit, IntConsumer visit) {
    long base = units.base();
    long node = Node.address(base, unit);
    int children = children(node);
    for (int i = 0; i < children; i++) {
      visit.accept(Node.childUnit(base, node, i));
    }
  }

  /** Frees the nodes and their blocks, not their children; no reader may know them any more. */
  void free(int[] gone) {
    if (!units.isClosed()) {
      for (int unit : gone) {
        free(unit);
      }
    }
  }

  private void free(int unit) {
    long base = units.base();
    long node = Node.address(base, unit);
    int leaves = 1;
    for (int word = 0; word < Node.SLOTS / 64; word++) {
      leaves += Long.bitCount(Memory.getLong(node + Node.BIT_MAP + word * 8L));
    }
    int children = children(node);
    int bytes = children * Node.CHILD_BYTES + leaves * Node.LEAF_BYTES;
    if (bytes > Node.INLINE_BYTES) {
      long childAt = (Memory.getInt(node + Node.CHILDREN) & 0xFFFF_FFFFL) * Node.CHILD_BYTES;
      units.give((int) (childAt / Node.UNIT), unitsOf(bytes));
    }
    units.give(unit, NODE_UNITS);
  }

  /** How many children the node has: the leaves begin where they end. */
  private static int children(long node) {
    long children = (Memory.getInt(node + Node.CHILDREN) & 0xFFFF_FFFFL) * Node.CHILD_BYTES;
    long leaves = (Memory.getInt(node + Node.LEAVES) & 0xFFFF_FFFFL) * Node.LEAF_BYTES;
    return (int) (leaves - children) / Node.CHILD_BYTES;
  }

  private static int unitsOf(int bytes) {
    return (bytes + Node.UNIT - 1) / Node.UNIT;
  }
}
