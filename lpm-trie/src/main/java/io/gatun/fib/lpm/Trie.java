package io.gatun.fib.lpm;

import static io.gatun.fib.lpm.NodeCodec.child;
import static io.gatun.fib.lpm.NodeCodec.isChild;
import static io.gatun.fib.lpm.NodeCodec.ofChild;
import static io.gatun.fib.lpm.Units.ROOT_BITS;
import static io.gatun.fib.lpm.Units.ROOT_SLOTS;

import io.gatun.ffm.memory.Memory;
import java.util.Arrays;

/**
 * A table of either family and the changes to it. Single writer; readers load {@link #base}.
 *
 * <p>A change makes the nodes on the way to its prefix anew and shows them by one store into the
 * root; below its prefix everything is made again from the {@link Rib}, beside it everything is
 * kept.
 */
final class Trie implements AutoCloseable {
  private static final int STRIDE = 8;

  /** A table that has shrunk to a quarter of this moves to a smaller area; 1 MiB. */
  private static final int WORTH_SHRINKING = (1 << 20) / Node.UNIT;

  private final String name;
  private final Retirement retirement;
  private final Rib rib = new Rib();

  /** Slots of the node being made at each depth. */
  private final Slots[] scratch;

  private volatile Units units;
  private NodeCodec codec;

  /** Unit of the node all of whose slots say next hop n; 0 for none yet. */
  private int[] uniform = new int[16];

  /** Nodes that the change under way has replaced. */
  private int[] replaced = new int[64];

  private int replacedCount;

  /**
   * @param bits of an address
   * @param units of 16 bytes to begin with, the root left out
   */
  Trie(String name, int bits, int units, Retirement retirement) {
    this.name = name;
    this.retirement = retirement;
    scratch = new Slots[(bits - ROOT_BITS) / STRIDE];
    Arrays.setAll(scratch, _ -> new Slots());
    this.units = new Units(name, units, retirement);
    codec = new NodeCodec(this.units);
    for (int i = 0; i < ROOT_SLOTS; i++) {
      show(i, 0);
    }
  }

  /** Address of the area that is current now. */
  long base() {
    return units.base();
  }

  int size() {
    return rib.size();
  }

  /** Bytes of the table that are in use or wait for their readers to go. */
  long bytes() {
    return (long) units.live() * Node.UNIT;
  }

  int nextHop(Prefix prefix) {
    return rib.nextHop(prefix);
  }

  void add(Prefix prefix, int nextHop) {
    if (nextHop <= 0 || nextHop > Node.MAX_NEXT_HOP) {
      throw new IllegalArgumentException(
          "next hop %d; use 1 to %d".formatted(nextHop, Node.MAX_NEXT_HOP));
    }
    int entry = rib.put(prefix, nextHop);
    if (entry != Rib.NOBODY) {
      change(prefix, entry, nextHop);
    }
  }

  /** True when it was there. */
  boolean remove(Prefix prefix) {
    if (!rib.remove(prefix)) {
      return false;
    }
    change(prefix, rib.within(prefix), rib.covering(prefix, prefix.length()));
    if (units.cut() > WORTH_SHRINKING && units.live() < units.cut() / 4) {
      shrink();
    }
    return true;
  }

  /**
   * Makes what the RIB says of the prefix true of the table.
   *
   * @param entry the shortest that the prefix contains
   * @param hop of the longest that contains the prefix
   */
  private void change(Prefix prefix, int entry, int hop) {
    int index = Prefix.bits(prefix.high(), 0, 0, ROOT_BITS);
    if (prefix.length() < ROOT_BITS) {
      int last = index + (1 << (ROOT_BITS - prefix.length()));
      if (entry != Rib.NOBODY && rib.length(entry) == prefix.length()) {
        int middle = (index + last) / 2;
        uncovered(rib.child(entry, 0), index, middle, hop);
        uncovered(rib.child(entry, 1), middle, last, hop);
      } else {
        uncovered(entry, index, last, hop);
      }
    } else if (prefix.length() == ROOT_BITS) {
      drop(Memory.getInt(units.base() + index * 4L));
      show(index, build(entry, ROOT_BITS, hop));
    } else {
      int unit = Memory.getInt(units.base() + index * 4L);
      show(index, update(unit, ROOT_BITS, prefix, entry, hop));
    }
    retireReplaced();
  }

  /**
   * Gives {@code hop} to the root's slots {@code first} to {@code last} where no prefix of the
   * entry or below it says otherwise: a default route that changes costs what hangs on it, not the
   * table.
   */
  private void uncovered(int entry, int first, int last, int hop) {
    if (entry == Rib.NOBODY) {
      fill(first, last, hop);
      return;
    }
    int index = rib.bits(entry, 0, ROOT_BITS);
    int length = rib.length(entry);
    int end = length < ROOT_BITS ? index + (1 << (ROOT_BITS - length)) : index + 1;
    fill(first, index, hop);
    fill(end, last, hop);
    if (length > ROOT_BITS) {
      rebuild(index);
    } else if (rib.nextHop(entry) == 0) {
      if (length == ROOT_BITS) {
        rebuild(index);
      } else {
        int middle = (index + end) / 2;
        uncovered(rib.child(entry, 0), index, middle, hop);
        uncovered(rib.child(entry, 1), middle, end, hop);
      }
    }
  }

  private void fill(int first, int last, int hop) {
    for (int i = first; i < last; i++) {
      show(i, hop);
    }
  }

  private void rebuild(int index) {
    Prefix slot = new Prefix((long) index << (64 - ROOT_BITS), 0, ROOT_BITS);
    drop(Memory.getInt(units.base() + index * 4L));
    show(index, build(rib.within(slot), ROOT_BITS, rib.covering(slot, ROOT_BITS)));
  }

  /** A slot that says what the node of {@code unit} does but for the prefix, which is longer. */
  private int update(int unit, int start, Prefix prefix, int entry, int hop) {
    Slots slots = scratch(start);
    codec.decode(unit, slots);
    int end = start + STRIDE;
    int index = Prefix.bits(prefix.high(), prefix.low(), start, end);
    if (prefix.length() > end) {
      int slot = slots.get(index);
      int now = isChild(slot) ? update(child(slot), end, prefix, entry, hop) : grown(prefix, end);
      slots.set(index, index + 1, now);
    } else {
      int last = index + (1 << (end - prefix.length()));
      dropChildren(slots, index, last);
      slots.set(index, last, hop);
      paint(entry, start, slots, hop);
    }
    replace(unit);
    return slot(slots);
  }

  /** A child is the only slot of its run. */
  private void dropChildren(Slots slots, int first, int last) {
    for (int word = first >>> 6; word <= last - 1 >>> 6; word++) {
      for (long left = slots.starts(word); left != 0; left &= left - 1) {
        int slot = (word << 6) + Long.numberOfTrailingZeros(left);
        if (slot >= first && slot < last && isChild(slots.value(slot))) {
          drop(child(slots.value(slot)));
        }
      }
    }
  }

  /** What a slot becomes that had no child and gets one for a prefix beyond {@code end} bits. */
  private int grown(Prefix prefix, int end) {
    Prefix slot = prefix.shortenedTo(end);
    return build(rib.within(slot), end, rib.covering(slot, end));
  }

  /** A slot for the entries below {@code top}, where nothing longer is known {@code hop}. */
  private int build(int top, int start, int hop) {
    if (top == Rib.NOBODY) {
      return hop;
    }
    Slots slots = scratch(start);
    slots.fill(hop);
    paint(top, start, slots, hop);
    return slot(slots);
  }

  /** Writes the entry and those below it over slots that {@code hop} was true of so far. */
  private void paint(int entry, int start, Slots slots, int hop) {
    if (entry == Rib.NOBODY) {
      return;
    }
    int end = start + STRIDE;
    int length = rib.length(entry);
    int index = rib.bits(entry, start, end);
    int zero = rib.child(entry, 0);
    int one = rib.child(entry, 1);
    if (length > end || (length == end && (zero != Rib.NOBODY || one != Rib.NOBODY))) {
      slots.set(index, index + 1, build(entry, end, hop));
      return;
    }
    int own = rib.nextHop(entry);
    if (own != 0) {
      slots.set(index, index + (1 << (end - length)), own);
      hop = own;
    }
    paint(zero, start, slots, hop);
    paint(one, start, slots, hop);
  }

  /** A leaf when all slots are the same one, else a child. */
  private int slot(Slots slots) {
    int first = slots.value(0);
    return !isChild(first) && slots.isUniform() ? first : ofChild(codec.encode(slots));
  }

  private Slots scratch(int start) {
    return scratch[(start - ROOT_BITS) / STRIDE];
  }

  /** Lets readers find {@code slot} for the first 16 bits {@code index}. */
  private void show(int index, int slot) {
    // Made first: what is made may move the area.
    int unit = unitOf(slot);
    Memory.putIntRelease(units.base() + index * 4L, unit);
  }

  private int unitOf(int slot) {
    return isChild(slot) ? child(slot) : uniform(slot);
  }

  /** The root always names a node, so that a lookup need not ask whether it does. */
  private int uniform(int hop) {
    if (hop >= uniform.length) {
      uniform = Arrays.copyOf(uniform, Math.max(hop + 1, uniform.length * 2));
    }
    if (uniform[hop] == 0) {
      Slots slots = new Slots();
      slots.fill(hop);
      uniform[hop] = codec.encode(slots);
    }
    return uniform[hop];
  }

  private boolean isUniform(int unit) {
    long base = units.base();
    int leaf = Node.leaf(base, Node.address(base, unit), 0);
    return leaf >= 0 && leaf < uniform.length && uniform[leaf] == unit;
  }

  /** The node and all below it are no longer wanted. */
  private void drop(int unit) {
    if (!isUniform(unit)) {
      codec.children(unit, this::drop);
      replace(unit);
    }
  }

  private void replace(int unit) {
    if (isUniform(unit)) {
      return;
    }
    if (replacedCount == replaced.length) {
      replaced = Arrays.copyOf(replaced, replacedCount * 2);
    }
    replaced[replacedCount++] = unit;
  }

  private void retireReplaced() {
    if (replacedCount > 0) {
      int[] gone = Arrays.copyOf(replaced, replacedCount);
      NodeCodec from = codec;
      replacedCount = 0;
      retirement.retire(() -> from.free(gone));
    }
  }

  /** Moves what is left into an area of twice its size. */
  private void shrink() {
    Units old = units;
    NodeCodec from = codec;
    Units smaller = new Units(name, old.live() * 2, retirement);
    codec = new NodeCodec(smaller);
    uniform = new int[16];
    for (int i = 0; i < ROOT_SLOTS; i++) {
      int slot = moved(from, Memory.getInt(old.base() + i * 4L), ROOT_BITS);
      int unit = unitOf(slot);
      Memory.putInt(smaller.base() + i * 4L, unit);
    }
    units = smaller;
    retirement.retire(old::close);
  }

  private int moved(NodeCodec from, int unit, int start) {
    Slots slots = scratch(start);
    from.decode(unit, slots);
    for (int word = 0; word < Slots.WORDS; word++) {
      for (long left = slots.starts(word); left != 0; left &= left - 1) {
        int slot = (word << 6) + Long.numberOfTrailingZeros(left);
        if (isChild(slots.value(slot))) {
          slots.start(slot, moved(from, child(slots.value(slot)), start + STRIDE));
        }
      }
    }
    return slot(slots);
  }

  @Override
  public void close() {
    units.close();
  }
}
