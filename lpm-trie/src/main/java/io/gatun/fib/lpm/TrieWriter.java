package io.gatun.fib.lpm;

import static io.gatun.fib.lpm.Nodes.NODE_SLOTS;
import static io.gatun.fib.lpm.Nodes.ROOT_BITS;
import static io.gatun.fib.lpm.Nodes.ROOT_SLOTS;
import static io.gatun.fib.lpm.Nodes.isNode;

/**
 * Changes to a trie, of either family. Single writer.
 *
 * <p>A slot's answer may only be replaced by that of a prefix at least as long as the one it came
 * from, which the slot's depth remembers; a delete gives the slots of exactly its length to the
 * covering prefix and folds nodes that no longer say anything.
 */
final class TrieWriter {
  /** Table 0 is the root: node slots are negative. */
  private static final int ROOT = 0;

  private final Nodes nodes;
  private final Rib rib = new Rib();

  TrieWriter(Nodes nodes) {
    this.nodes = nodes;
  }

  int size() {
    return rib.size();
  }

  int nextHop(Prefix prefix) {
    return rib.nextHop(prefix);
  }

  void add(Prefix prefix, int nextHop) {
    if (nextHop <= 0) {
      throw new IllegalArgumentException("next hop %d; use 1 or more".formatted(nextHop));
    }
    rib.put(prefix, nextHop);
    change(ROOT, 0, ROOT_BITS, prefix, new Change(-1, prefix.length(), nextHop, prefix.length()));
  }

  /** True when it was there. */
  boolean remove(Prefix prefix) {
    if (!rib.remove(prefix)) {
      return false;
    }
    Prefix covering = rib.covering(prefix);
    Change change =
        covering == null
            ? new Change(prefix.length(), prefix.length(), 0, -1)
            : new Change(
                prefix.length(), prefix.length(), rib.nextHop(covering), covering.length());
    change(ROOT, 0, ROOT_BITS, prefix, change);
    return true;
  }

  /** Slots whose depth is in from … to become {@code slot} of depth {@code depth}. */
  private record Change(int from, int to, int slot, int depth) {
    boolean concerns(int depth) {
      return depth >= from && depth <= to;
    }
  }

  /**
   * Applies {@code change} below {@code table}, which decides bits {@code start} to {@code end}.
   */
  private void change(int table, int start, int end, Prefix prefix, Change change) {
    int index = bits(prefix, start, end);
    if (prefix.length() <= end) {
      int last = index + (1 << (end - prefix.length()));
      for (int i = index; i < last; i++) {
        overwrite(table, i, change);
      }
      return;
    }
    int child = nodes.get(table, index);
    if (isNode(child)) {
      change(child, end, end + 8, prefix, change);
      fold(table, index, child, end);
      return;
    }
    int depth = nodes.depth(table, index);
    child = nodes.create(child, depth);
    change(child, end, end + 8, prefix, change);
    nodes.publish(table, index, child, depth);
  }

  /** Every answer below slot {@code index} is inside the prefix. */
  private void overwrite(int table, int index, Change change) {
    int slot = nodes.get(table, index);
    if (isNode(slot)) {
      for (int i = 0; i < NODE_SLOTS; i++) {
        overwrite(slot, i, change);
      }
    } else if (change.concerns(nodes.depth(table, index))) {
      nodes.publish(table, index, change.slot(), change.depth());
    }
  }

  /**
   * Replaces {@code child} by one slot when all its answers are of one prefix no longer than it.
   */
  private void fold(int table, int index, int child, int start) {
    int slot = nodes.get(child, 0);
    int depth = nodes.depth(child, 0);
    if (isNode(slot) || depth > start) {
      return;
    }
    for (int i = 1; i < NODE_SLOTS; i++) {
      if (isNode(nodes.get(child, i)) || nodes.depth(child, i) != depth) {
        return;
      }
    }
    nodes.publish(table, index, slot, depth);
    nodes.retire(child);
  }

  private static int bits(Prefix prefix, int start, int end) {
    if (start == 0) {
      return (int) (prefix.high() >>> (64 - ROOT_BITS)) & (ROOT_SLOTS - 1);
    }
    long word = start < 64 ? prefix.high() : prefix.low();
    return (int) (word >>> (64 - end + (start & 64))) & (NODE_SLOTS - 1);
  }
}
