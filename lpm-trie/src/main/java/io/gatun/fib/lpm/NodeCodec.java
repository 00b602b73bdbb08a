package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;
import java.util.function.IntConsumer;

/**
 * Nodes written from {@link Slots} and read back into them, by the writer. A node's <i>name</i> is
 * the leaf that leads to it: the root's nodes have no guard and are named as the {@link Root} wants
 * it, all others by {@link Node#ofChild}.
 */
final class NodeCodec {
  private final Units units;
  private final Root root;

  /**
   * The leaves of the node that is being written: of its runs, then what only lone ones miss to.
   */
  private final int[] leaves = new int[2 * Node.SLOTS];

  private final int[] misses = new int[Node.SLOTS];
  private int count;
  private long starts;

  NodeCodec(Units units, Root root) {
    this.units = units;
    this.root = root;
  }

  Units units() {
    return units;
  }

  /** Whether the leaves are so few that lone ones can name theirs. */
  boolean fits(Slots slots) {
    gather(slots);
    return count <= Node.SLOTS;
  }

  /** Writes a node of the root that says {@code slots}; its unit. */
  int encode(Slots slots) {
    gather(slots);
    int unit = units.take(unitsOf(count, 0));
    write(Node.address(units.base(), unit));
    return unit;
  }

  /** Writes a node with its guard, in which no slot is a lone one. */
  int encodeGuarded(Slots slots) {
    gather(slots);
    int unit = units.take(unitsOf(count, Node.GUARD_BYTES));
    long guard = Node.address(units.base(), unit);
    boolean low = slots.from() >= 64;
    int shift = (low ? 128 : 64) - slots.end();
    Memory.putLong(guard + Node.PREFIX, slots.prefix());
    Memory.putInt(guard + Node.MISS, slots.miss());
    Memory.putInt(guard + Node.SHIFT, shift | (low ? Node.LOW_WORD : 0));
    write(guard + Node.GUARD_BYTES);
    return Node.ofChild(unit);
  }

  private void gather(Slots slots) {
    count = 0;
    starts = 0;
    long previous = ~slots.value(0);
    for (long left = slots.starts(); left != 0; left &= left - 1) {
      long value = slots.value(Long.numberOfTrailingZeros(left));
      if (value != previous) {
        starts |= left & -left;
        misses[count] = Slots.miss(value);
        leaves[count++] = (int) value;
        previous = value;
      }
    }
    int runs = count;
    for (int i = 0; i < runs; i++) {
      if (Lone.is(leaves[i])) {
        leaves[i] = Lone.withMiss(leaves[i], indexOf(misses[i]));
      }
    }
  }

  private int indexOf(int nextHop) {
    int at = 0;
    while (at < count && leaves[at] != nextHop) {
      at++;
    }
    if (at == count) {
      leaves[count++] = nextHop;
    }
    return at & (Node.SLOTS - 1); // beyond that nothing is written: it does not fit
  }

  private void write(long node) {
    Memory.putLong(node + Node.BIT_MAP, starts & ~1L);
    for (int i = 0; i < count; i++) {
      Memory.putInt(leafAt(node, i), leaves[i]);
    }
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
      slots.guard(root.bits(name), 0, 0);
    }
    slots.fill(slot(node, 0));
    int index = 0;
    for (long left = Memory.getLong(node + Node.BIT_MAP); left != 0; left &= left - 1) {
      slots.start(Long.numberOfTrailingZeros(left), slot(node, ++index));
    }
  }

  private static long slot(long node, int index) {
    int leaf = Memory.getInt(leafAt(node, index));
    if (!Lone.is(leaf)) {
      return Slots.of(leaf);
    }
    int miss = Memory.getInt(leafAt(node, Lone.missIndex(leaf)));
    return Slots.ofLone(Lone.withoutMiss(leaf), miss);
  }

  /** Calls {@code visit} with each child's name. */
  void children(int name, IntConsumer visit) {
    long node = node(name);
    int runs = runs(node);
    for (int i = 0; i < runs; i++) {
      int leaf = Memory.getInt(leafAt(node, i));
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
        units.give(unit(name), unitsOf(leaves(node(name)), guard));
      }
    }
  }

  private long node(int name) {
    long start = Node.address(units.base(), unit(name));
    return Node.isChild(name) ? start + Node.GUARD_BYTES : start;
  }

  private int unit(int name) {
    return Node.isChild(name) ? Node.unit(name) : root.unit(name);
  }

  private static long leafAt(long node, int index) {
    return node + Node.LEAVES + (long) index * Node.LEAF_BYTES;
  }

  private static int runs(long node) {
    return 1 + Long.bitCount(Memory.getLong(node + Node.BIT_MAP));
  }

  private static int leaves(long node) {
    int runs = runs(node);
    int leaves = runs;
    for (int i = 0; i < runs; i++) {
      int leaf = Memory.getInt(leafAt(node, i));
      if (Lone.is(leaf)) {
        leaves = Math.max(leaves, Lone.missIndex(leaf) + 1);
      }
    }
    return leaves;
  }

  private static int unitsOf(int leaves, int guard) {
    int bytes = guard + Node.LEAVES + leaves * Node.LEAF_BYTES;
    return (bytes + Node.UNIT - 1) / Node.UNIT;
  }
}
