package io.gatun.fib.lpm;

import static io.gatun.fib.lpm.Node.STRIDE;
import static io.gatun.fib.lpm.Node.isChild;

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
  /** 1 MiB: with the root whole huge pages; a node's own routes fit without growing. */
  private static final int UNITS = (1 << 20) / Node.UNIT;

  /** A table of which a quarter is left moves to a smaller area from here on; 1 MiB. */
  private static final int WORTH_SHRINKING = (1 << 20) / Node.UNIT;

  /** More nodes than an address can meet: two words of 64 bits, 6 a node and one to fill up. */
  private static final int DEEPEST = 24;

  private final String name;
  private final int rootBits;
  private final int loneBits;
  private final Retirement retirement;
  private final Rib rib = new Rib();

  /** The node being made at each depth. */
  private final Slots[] scratch = new Slots[DEEPEST];

  private int depth;

  private volatile Units units;

  /** Of the area that is written to. */
  private NodeCodec codec;

  /** Unit of the node all of whose slots say next hop n; 0 for none yet. */
  private int[] uniform = new int[16];

  /** Names of nodes that the change under way has replaced. */
  private int[] replaced = new int[64];

  private int replacedCount;

  /**
   * @param rootBits bits of an address that the root goes by: 18 to 58
   * @param loneBits most bits of a {@link Lone} leaf's prefix; 0 for a table without such leaves
   */
  Trie(String name, int rootBits, int loneBits, Retirement retirement) {
    this.name = name;
    this.rootBits = rootBits;
    this.loneBits = loneBits;
    this.retirement = retirement;
    Arrays.setAll(scratch, _ -> new Slots());
    units = new Units(name, rootBits, UNITS, retirement);
    codec = new NodeCodec(units);
    fill(0, 1 << rootBits, 0);
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
    return units.bytes();
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
    int index = Prefix.bits(prefix.high(), 0, 0, rootBits);
    if (prefix.length() < rootBits) {
      int last = index + (1 << (rootBits - prefix.length()));
      if (entry != Rib.NOBODY && rib.length(entry) == prefix.length()) {
        int middle = (index + last) / 2;
        uncovered(rib.child(entry, 0), index, middle, hop);
        uncovered(rib.child(entry, 1), middle, last, hop);
      } else {
        uncovered(entry, index, last, hop);
      }
    } else if (prefix.length() == rootBits) {
      drop(name(index));
      show(index, firstNode(index, entry, hop));
    } else {
      show(index, (int) update(name(index), rootBits, prefix, entry, hop));
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
    int index = rib.bits(entry, 0, rootBits);
    int length = rib.length(entry);
    int end = length < rootBits ? index + (1 << (rootBits - length)) : index + 1;
    fill(first, index, hop);
    fill(end, last, hop);
    if (length > rootBits) {
      rebuild(index);
    } else if (rib.nextHop(entry) == 0) {
      if (length == rootBits) {
        rebuild(index);
      } else {
        int middle = (index + end) / 2;
        uncovered(rib.child(entry, 0), index, middle, hop);
        uncovered(rib.child(entry, 1), middle, end, hop);
      }
    }
  }

  private void fill(int first, int last, int hop) {
    int node = uniform(hop); // first: what is made may move the area
    for (int i = first; i < last; i++) {
      show(i, node);
    }
  }

  private void rebuild(int index) {
    Prefix slot = new Prefix((long) index << (64 - rootBits), 0, rootBits);
    drop(name(index));
    show(index, firstNode(index, rib.within(slot), rib.covering(slot, rootBits)));
  }

  /** Name of the node for the root's slot {@code index}. */
  private int name(int index) {
    return Node.root(codec.units().base(), index);
  }

  /**
   * A leaf that says what the node does but for the prefix, which is longer than the {@code start}
   * bits that all addresses there have in common.
   */
  private long update(int node, int start, Prefix prefix, int entry, int hop) {
    Slots slots = scratch[depth];
    codec.decode(node, slots);
    if (!isWithin(prefix, slots)) {
      drop(node);
      return grown(prefix, start);
    }
    int end = slots.end();
    int index = Prefix.bits(prefix.high(), prefix.low(), slots.from(), end);
    if (prefix.length() > end) {
      int leaf = (int) slots.get(index);
      depth++;
      long now = isChild(leaf) ? update(leaf, end, prefix, entry, hop) : grown(prefix, end);
      depth--;
      slots.set(index, index + 1, now);
    } else {
      int last = index + (1 << (end - prefix.length()));
      dropChildren(slots, index, last);
      slots.set(index, last, hop);
      paint(entry, slots, hop);
    }
    replace(node);
    return start == rootBits ? first(prefix.high(), slots) : leaf(slots);
  }

  /** Whether all addresses of the prefix pass the guard of the node that was read. */
  private boolean isWithin(Prefix prefix, Slots slots) {
    return prefix.length() >= slots.from()
        && guard(prefix.high(), prefix.low(), slots.from()) == slots.prefix();
  }

  /** The bits of an address before {@code from} in the word that {@code from} is in. */
  private long guard(long high, long low, int from) {
    if (from == rootBits) {
      return 0; // the root's nodes have none
    }
    return (from < 64 ? high : low) >>> (63 - (from & 63)) >>> 1;
  }

  private void dropChildren(Slots slots, int first, int last) {
    for (long left = slots.starts(); left != 0; left &= left - 1) {
      int slot = Long.numberOfTrailingZeros(left);
      if (slot >= first && slot < last && isChild(slots.leaf(slot))) {
        drop(slots.leaf(slot)); // a child is the only slot of its run
      }
    }
  }

  /** What the RIB says of the addresses that have the prefix's first {@code start} bits. */
  private long grown(Prefix prefix, int start) {
    Prefix all = prefix.shortenedTo(start);
    return build(rib.within(all), start, rib.covering(all, start));
  }

  /** A node for the root's slot {@code index}: of the entries below {@code top}. */
  private int firstNode(int index, int top, int hop) {
    Slots slots = scratch[depth];
    slots.begin(rootBits, hop);
    paint(top, slots, hop);
    return first((long) index << (64 - rootBits), slots);
  }

  /**
   * A leaf for the entries below {@code top}, which have {@code start} bits or more; what they do
   * not contain has {@code hop}.
   */
  private long build(int top, int start, int hop) {
    if (top == Rib.NOBODY) {
      return hop;
    }
    // The bits that all entries have in common are the guard's; a node's own lie in one word.
    int from = Math.min(rib.length(top), (start | 63) + 1 - STRIDE);
    Slots slots = scratch[depth];
    slots.begin(from, hop);
    slots.guard(from, guard(rib.high(top), rib.low(top), from), hop);
    paint(top, slots, hop);
    return leaf(slots);
  }

  /** Writes the entry and those below it over slots that {@code hop} was true of so far. */
  private void paint(int entry, Slots slots, int hop) {
    if (entry == Rib.NOBODY) {
      return;
    }
    int end = slots.end();
    int length = rib.length(entry);
    int index = rib.bits(entry, slots.from(), end);
    int zero = rib.child(entry, 0);
    int one = rib.child(entry, 1);
    if (length > end || (length == end && (zero != Rib.NOBODY || one != Rib.NOBODY))) {
      depth++;
      slots.set(index, index + 1, build(entry, end, hop));
      depth--;
      return;
    }
    int own = rib.nextHop(entry);
    if (own != 0) {
      slots.set(index, index + (1 << (end - length)), own);
      hop = own;
    }
    paint(zero, slots, hop);
    paint(one, slots, hop);
  }

  /**
   * A next hop when the guard makes no difference and all slots are the same one, a lone leaf when
   * they are and the guard is short enough, else a child.
   */
  private long leaf(Slots slots) {
    if (!slots.isUniform()) {
      return Slots.of(codec.encodeGuarded(slots));
    }
    int hop = slots.leaf(0);
    int count = slots.from() - scratch[depth - 1].end();
    if (hop == slots.miss() || count == 0) {
      return hop;
    }
    if (depth > 1 || count > loneBits) {
      return Slots.of(codec.encodeGuarded(slots));
    }
    int bits = (int) slots.prefix() & (1 << count) - 1;
    return Slots.ofLone(Lone.of(hop, bits, count), slots.miss());
  }

  /**
   * As {@link #leaf} for the root, which always names a node: a lookup need not ask. {@code high}
   * begins as the node's addresses do.
   */
  private int first(long high, Slots slots) {
    if (slots.isUniform()) {
      return uniform(slots.leaf(0));
    }
    if (!codec.fits(slots)) {
      unfold(high, slots);
    }
    return codec.encode(slots);
  }

  /** Makes children of lone leaves. */
  private void unfold(long high, Slots slots) {
    int end = slots.end();
    long start = high >>> (64 - rootBits) << Node.STRIDE;
    Slots child = scratch[depth + 1];
    for (int slot = 0; slot < Node.SLOTS; slot++) {
      long value = slots.get(slot);
      int leaf = (int) value;
      if (Lone.is(leaf)) {
        int count = Lone.count(leaf);
        child.begin(end + count, Lone.nextHop(leaf));
        child.guard(end + count, (start | slot) << count | Lone.bits(leaf), Slots.miss(value));
        slots.set(slot, slot + 1, Slots.of(codec.encodeGuarded(child)));
      }
    }
  }

  /** Lets readers find the node for the root's slot {@code index}. */
  private void show(int index, int node) {
    Memory.putIntRelease(codec.units().base() + (long) index * Node.ROOT_SLOT_BYTES, node);
  }

  private int uniform(int hop) {
    if (hop >= uniform.length) {
      uniform = Arrays.copyOf(uniform, Math.max(hop + 1, uniform.length * 2));
    }
    if (uniform[hop] == 0) {
      Slots slots = new Slots();
      slots.begin(rootBits, hop);
      uniform[hop] = codec.encode(slots);
    }
    return uniform[hop];
  }

  private boolean isUniform(int node) {
    if (isChild(node)) {
      return false;
    }
    int leaf = Node.leaf(Node.address(codec.units().base(), node), 0);
    return Node.isNextHop(leaf) && leaf < uniform.length && uniform[leaf] == node;
  }

  /** The node and all below it are no longer wanted. */
  private void drop(int node) {
    if (!isUniform(node)) {
      codec.children(node, this::drop);
      replace(node);
    }
  }

  private void replace(int node) {
    if (isUniform(node)) {
      return;
    }
    if (replacedCount == replaced.length) {
      replaced = Arrays.copyOf(replaced, replacedCount * 2);
    }
    replaced[replacedCount++] = node;
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
    NodeCodec from = codec;
    Units old = from.units();
    int room = Math.max(old.live() * 2, UNITS);
    codec = new NodeCodec(new Units(name, rootBits, room, retirement));
    uniform = new int[16];
    for (int i = 0; i < 1 << rootBits; i++) {
      int node = moved(from, Node.root(old.base(), i), (long) i << (64 - rootBits));
      Memory.putInt(codec.units().base() + (long) i * Node.ROOT_SLOT_BYTES, node);
    }
    units = codec.units();
    retirement.retire(old::close);
  }

  private int moved(NodeCodec from, int node, long high) {
    Slots slots = scratch[depth];
    from.decode(node, slots);
    for (long left = slots.starts(); left != 0; left &= left - 1) {
      int slot = Long.numberOfTrailingZeros(left);
      if (isChild(slots.leaf(slot))) {
        depth++;
        slots.start(slot, Slots.of(moved(from, slots.leaf(slot), high)));
        depth--;
      }
    }
    return isChild(node) ? codec.encodeGuarded(slots) : first(high, slots);
  }

  @Override
  public void close() {
    units.close();
  }
}
