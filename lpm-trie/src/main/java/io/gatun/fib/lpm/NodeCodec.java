package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;
import java.util.function.IntConsumer;

/**
 * Nodes written from {@link Slots} and read back into them, by the writer. A node's <i>name</i> is
 * the leaf that leads to it: the root's nodes have no guard and are named by their unit, all others
 * by {@link Node#ofChild}.
 */
final class NodeCodec {
  private final Units units;

  NodeCodec(Units units) {
    this.units = units;
  }

  Units units() {
    return units;
  }

  /** Writes a node of the root that says {@code slots}; its name. */
  int encode(Slots slots) {
    int unit = units.take(unitsOf(leaves(slots), 0));
    write(slots, Node.address(units.base(), unit));
    return unit;
  }

  /** Writes a node with its guard. */
  int encodeGuarded(Slots slots) {
    int unit = units.take(unitsOf(leaves(slots), Node.GUARD_BYTES));
    long guard = Node.address(units.base(), unit);
    boolean low = slots.from() >= 64;
    int shift = (low ? 128 : 64) - slots.end();
    Memory.putLong(guard + Node.PREFIX, slots.prefix());
    Memory.putInt(guard + Node.MISS, slots.miss());
    Memory.putInt(guard + Node.SHIFT, shift | (low ? Node.LOW_WORD : 0));
    write(slots, guard + Node.GUARD_BYTES);
    return Node.ofChild(unit);
  }

  private static int leaves(Slots slots) {
    int leaves = 0;
    int previous = ~slots.value(0);
    for (long left = slots.starts(); left != 0; left &= left - 1) {
      int value = slots.value(Long.numberOfTrailingZeros(left));
      leaves += value == previous ? 0 : 1;
      previous = value;
    }
    return leaves;
  }

  private static void write(Slots slots, long node) {
    long leaf = node + Node.LEAVES;
    long starts = 0;
    int previous = ~slots.value(0);
    for (long left = slots.starts(); left != 0; left &= left - 1) {
      int value = slots.value(Long.numberOfTrailingZeros(left));
      if (value != previous) {
        starts |= left & -left;
        Memory.putInt(leaf, value);
        leaf += Node.LEAF_BYTES;
        previous = value;
      }
    }
    Memory.putLong(node + Node.BIT_MAP, starts & ~1L);
  }

  /** Reads what the named node says into {@code slots}; one of the root's has no guard. */
  void decode(int name, Slots slots) {
    long node = node(name);
    if (Node.isChild(name)) {
      long guard = node - Node.GUARD_BYTES;
      int shift = Memory.getInt(guard + Node.SHIFT);
      int end = (shift >= Node.LOW_WORD ? 128 : 64) - (shift & 63);
      slots.guard(
          end - Node.STRIDE, Memory.getLong(guard + Node.PREFIX), Memory.getInt(guard + Node.MISS));
    } else {
      slots.guard(units.rootBits(), 0, 0);
    }
    long leaf = node + Node.LEAVES;
    slots.fill(Memory.getInt(leaf));
    for (long left = Memory.getLong(node + Node.BIT_MAP); left != 0; left &= left - 1) {
      leaf += Node.LEAF_BYTES;
      slots.start(Long.numberOfTrailingZeros(left), Memory.getInt(leaf));
    }
  }

  /** Calls {@code visit} with each child's name. */
  void children(int name, IntConsumer visit) {
    long node = node(name);
    int leaves = leaves(node);
    for (int i = 0; i < leaves; i++) {
      int leaf = Memory.getInt(node + Node.LEAVES + (long) i * Node.LEAF_BYTES);
      if (Node.isChild(leaf)) {
        visit.accept(leaf);
      }
    }
  }

  /** Frees the nodes, not their children; no reader may know them any more. */
  void free(int[] gone) {
    if (!units.isClosed()) {
      for (int name : gone) {
        int guard = Node.isChild(name) ? Node.GUARD_BYTES : 0;
        units.give(Node.unit(name), unitsOf(leaves(node(name)), guard));
      }
    }
  }

  private long node(int name) {
    long start = Node.address(units.base(), Node.unit(name));
    return Node.isChild(name) ? start + Node.GUARD_BYTES : start;
  }

  private static int leaves(long node) {
    return 1 + Long.bitCount(Memory.getLong(node + Node.BIT_MAP));
  }

  private static int unitsOf(int leaves, int guard) {
    int bytes = guard + Node.LEAVES + leaves * Node.LEAF_BYTES;
    return (bytes + Node.UNIT - 1) / Node.UNIT;
  }
}
