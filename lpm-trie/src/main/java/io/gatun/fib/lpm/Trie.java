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
  private final Root root;
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
   * @param loneBits most bits of a {@link Lone} leaf's prefix; 0 for a table without such leaves
   */
  Trie(String name, Root root, int loneBits, Retirement retirement) {
    this.name = name;
    this.root = root;
    this.loneBits = loneBits;
    this.retirement = retirement;
    Arrays.setAll(scratch, _ -> new Slots());
    units = new Units(name, root.units(), UNITS, retirement);
    codec = new NodeCodec(units, root);
    fill(0, 1 << root.finest(), 0);
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
    int before = rib.size();
    int entry = rib.put(prefix, nextHop);
    if (entry != Rib.NOBODY && (rib.size() == before || isSettled(prefix, true))) {
      change(prefix, entry, nextHop);
    }
  }

  /** True when it was there. */
  boolean remove(Prefix prefix) {
    if (!rib.remove(prefix)) {
      return false;
    }
    if (isSettled(prefix, false)) {
      change(prefix, rib.within(prefix), rib.covering(prefix, prefix.length()));
    }
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
    int index = Prefix.bits(prefix.high(), 0, 0, root.finest());
    int bits = bits(index);
    if (prefix.length() < bits) {
      int last = index + span(prefix.length());
      if (entry != Rib.NOBODY && rib.length(entry) == prefix.length()) {
        int middle = (index + last) / 2;
        uncovered(rib.child(entry, 0), index, middle, hop);
        uncovered(rib.child(entry, 1), middle, last, hop);
      } else {
        uncovered(entry, index, last, hop);
      }
    } else if (prefix.length() == bits) {
      drop(name(index));
      show(index, firstNode(index, bits, entry, hop));
    } else {
      show(index, (int) update(name(index), bits, prefix, entry, hop));
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
    int index = rib.bits(entry, 0, root.finest());
    int length = rib.length(entry);
    int bits = bits(index);
    index &= -span(bits);
    int end = index + span(Math.min(length, bits));
    fill(first, index, hop);
    fill(end, last, hop);
    if (length > bits) {
      rebuild(index);
    } else if (rib.nextHop(entry) == 0) {
      if (length == bits) {
        rebuild(index);
      } else {
        int middle = (index + end) / 2;
        uncovered(rib.child(entry, 0), index, middle, hop);
        uncovered(rib.child(entry, 1), middle, end, hop);
      }
    }
  }

  private void fill(int first, int last, int hop) {
    int unit = uniform(hop); // first: what is made may move the area
    for (int i = first; i < last; ) {
      int bits = bits(i);
      show(i, root.name(unit, bits));
      i += span(bits);
    }
  }

  private void rebuild(int index) {
    drop(name(index));
    show(index, firstNode(index, bits(index)));
  }

  /** Bits that the addresses of the root's slot {@code index} have in common. */
  private int bits(int index) {
    return root.bits(codec.units().base(), index);
  }

  /** How many of the root's finest slots the addresses take that have {@code bits} in common. */
  private int span(int bits) {
    return 1 << (root.finest() - bits);
  }

  private long high(int index) {
    return (long) index << (Long.SIZE - root.finest());
  }

  /** Name of the node for the root's slot {@code index}. */
  private int name(int index) {
    return Memory.getInt(root.slot(codec.units().base(), index));
  }

  /**
   * Whether the root can stay as it is now that the prefix came or went; else its part has been
   * made anew from the RIB, with a page or without.
   */
  private boolean isSettled(Prefix prefix, boolean came) {
    if (!(root instanceof PagedRoot paged) || prefix.length() <= PagedRoot.FIRST_BITS) {
      return true;
    }
    Prefix all = prefix.shortenedTo(PagedRoot.FIRST_BITS);
    int first = Prefix.bits(all.high(), 0, 0, root.finest());
    boolean isPaged = bits(first) > PagedRoot.FIRST_BITS;
    if (isPaged == came || rib.isMore(rib.within(all), came ? paged.many() : paged.few()) != came) {
      return true;
    }
    int old = Memory.getInt(paged.first(codec.units().base(), first));
    for (int i = first; i < first + span(PagedRoot.FIRST_BITS); i += span(bits(first))) {
      drop(name(i));
    }
    int now = came ? page(paged, first) : firstNode(first, PagedRoot.FIRST_BITS);
    Memory.putIntRelease(paged.first(codec.units().base(), first), now);
    retireReplaced();
    if (isPaged) {
      Units from = codec.units();
      retirement.retire(() -> from.give(paged.unit(old), PagedRoot.PAGE_UNITS));
    }
    return false;
  }

  /** A page for the slots from {@code first} on; what leads to it. */
  private int page(PagedRoot paged, int first) {
    int page = codec.units().take(PagedRoot.PAGE_UNITS);
    for (int i = first; i < first + span(PagedRoot.FIRST_BITS); i++) {
      int node = firstNode(i, root.finest()); // first: it may move the area
      Memory.putInt(paged.inPage(codec.units().base(), page, i), node);
    }
    return root.name(page, root.finest());
  }

  /**
   * A leaf that says what the node does but for the prefix, which is longer than the {@code start}
   * bits that all addresses there have in common.
   */
  private long update(int node, int start, Prefix prefix, int entry, int hop) {
    Slots slots = scratch[depth];
    codec.decode(node, slots);
    if (depth > 0 && !isWithin(prefix, slots)) {
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
    return depth == 0 ? first(prefix.high(), slots) : leaf(slots);
  }

  /** Whether all addresses of the prefix pass the guard of the node that was read. */
  private static boolean isWithin(Prefix prefix, Slots slots) {
    return prefix.length() >= slots.from()
        && guard(prefix.high(), prefix.low(), slots.from()) == slots.prefix();
  }

  /** The bits of an address before {@code from} in the word that {@code from} is in. */
  private static long guard(long high, long low, int from) {
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

  /** Name of a node for the root's slot {@code index}, of what the RIB says. */
  private int firstNode(int index, int bits) {
    Prefix slot = new Prefix(high(index), 0, bits);
    return firstNode(index, bits, rib.within(slot), rib.covering(slot, bits));
  }

  /** The same, of the entries below {@code top}. */
  private int firstNode(int index, int bits, int top, int hop) {
    Slots slots = scratch[depth];
    slots.begin(bits, hop);
    paint(top, slots, hop);
    return first(high(index), slots);
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
    int bits = slots.from();
    if (slots.isUniform()) {
      return root.name(uniform(slots.leaf(0)), bits);
    }
    if (!codec.fits(slots)) {
      unfold(high, slots);
    }
    return root.name(codec.encode(slots), bits);
  }

  /** Makes children of lone leaves. */
  private void unfold(long high, Slots slots) {
    int end = slots.end();
    long start = high >>> (Long.SIZE - slots.from()) << Node.STRIDE;
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
    Memory.putIntRelease(root.slot(codec.units().base(), index), node);
  }

  /** Unit of the root's node that says {@code hop} of all. */
  private int uniform(int hop) {
    if (hop >= uniform.length) {
      uniform = Arrays.copyOf(uniform, Math.max(hop + 1, uniform.length * 2));
    }
    if (uniform[hop] == 0) {
      Slots slots = new Slots();
      slots.begin(root.finest(), hop);
      uniform[hop] = codec.encode(slots);
    }
    return uniform[hop];
  }

  private boolean isUniform(int node) {
    if (isChild(node)) {
      return false;
    }
    int unit = root.unit(node);
    int leaf = Node.leaf(Node.address(codec.units().base(), unit), 0);
    return Node.isNextHop(leaf) && leaf < uniform.length && uniform[leaf] == unit;
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
    codec = new NodeCodec(new Units(name, root.units(), room, retirement), root);
    uniform = new int[16];
    for (int i = 0; i < 1 << root.finest(); ) {
      int bits = root.bits(old.base(), i);
      if (bits != bits(i) && root instanceof PagedRoot paged) {
        int page = root.name(codec.units().take(PagedRoot.PAGE_UNITS), bits);
        Memory.putInt(paged.first(codec.units().base(), i), page);
      }
      int node = moved(from, Memory.getInt(root.slot(old.base(), i)), high(i));
      Memory.putInt(root.slot(codec.units().base(), i), node);
      i += span(bits);
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
