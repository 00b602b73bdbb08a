package io.gatun.fib.lpm;

/**
 * IPv4 longest prefix match. One writer ({@link #add}, {@link #remove}, {@link #close}), many
 * readers ({@link #lookup}), without locks.
 *
 * <p>Addresses are ints with the first octet highest. Next hops are 1 to 32,767; 0 is no route.
 */
public final class Lpm4 implements AutoCloseable {

  /** Bits that the root goes by. */
  private static final int ROOT_BITS = 18;

  private static final int ROOT_SHIFT = Integer.SIZE - ROOT_BITS;
  private static final int SLOT_SHIFT = ROOT_SHIFT - Node.STRIDE;

  /** The bits behind a first node's. */
  private static final int NEXT = (1 << Lone.BITS) - 1;

  private final Trie trie;

  /** An empty table; it grows and shrinks with its routes. {@code name} is for messages. */
  public Lpm4(String name, Retirement retirement) {
    trie = new Trie(name, new FlatRoot(ROOT_BITS), Lone.BITS, retirement);
  }

  /** Adds the prefix or replaces its next hop. */
  public void add(int address, int length, int nextHop) {
    trie.add(prefix(address, length), nextHop);
  }

  /** True when the prefix was there. */
  public boolean remove(int address, int length) {
    return trie.remove(prefix(address, length));
  }

  /** Next hop of exactly this prefix, for the writer; 0 for none. */
  public int nextHop(int address, int length) {
    return trie.nextHop(prefix(address, length));
  }

  /** Number of prefixes. */
  public int size() {
    return trie.size();
  }

  /** Bytes of the table that are in use or wait for their readers to go; the RIB is not in it. */
  public long bytes() {
    return trie.bytes();
  }

  /** Next hop of the longest prefix that contains {@code address}, 0 for none. */
  public int lookup(int address) {
    long base = trie.base();
    int leaf = first(base, address);
    while (Node.isChild(leaf)) {
      leaf = next(base, leaf, address);
    }
    return leaf;
  }

  /**
   * Next hops of {@code count} addresses into {@code nextHops}: node by node for 64 addresses at a
   * time, so that their cache misses overlap and no jump depends on how deep one of them goes.
   */
  public void lookup(int[] addresses, int[] nextHops, int count) {
    long base = trie.base();
    for (int from = 0; from < count; from += Long.SIZE) {
      long pending = first(base, addresses, nextHops, from, Math.min(count - from, Long.SIZE));
      pending = alone(base, addresses, nextHops, from, pending);
      while (pending != 0) {
        pending = next(base, addresses, nextHops, from, pending);
      }
    }
  }

  /**
   * The first leaf of each; a bit for each of those that have another node to go to. Loops that do
   * one thing each: the shorter they are, the more misses are under way at a time.
   */
  private static long first(long base, int[] addresses, int[] leaves, int from, int count) {
    for (int i = from; i < from + count; i++) {
      leaves[i] = Node.root(base, addresses[i] >>> ROOT_SHIFT);
    }
    for (int i = from; i < from + count; i++) {
      leaves[i] = Node.leaf(Node.address(base, leaves[i]), addresses[i] >>> SLOT_SHIFT);
    }
    long pending = 0;
    for (int i = from; i < from + count; i++) {
      pending |= (long) (leaves[i] >>> 31) << i; // from is a multiple of 64
    }
    return pending;
  }

  /**
   * The answers of lone leaves, by lines that were read just now; those that still have another
   * node to go to. From the root once more: a writer may have changed the node meanwhile, and leaf
   * and miss have to be one node's.
   */
  private static long alone(long base, int[] addresses, int[] leaves, int from, long pending) {
    long still = 0;
    for (long left = pending; left != 0; left &= left - 1) {
      int i = from + Long.numberOfTrailingZeros(left);
      int address = addresses[i];
      int leaf = first(base, address);
      leaves[i] = leaf;
      still |= (long) (leaf >>> 31) << i; // from is a multiple of 64
    }
    return still;
  }

  /** The next leaf of those that are pending; those that still are. */
  private static long next(long base, int[] addresses, int[] leaves, int from, long pending) {
    long still = 0;
    for (long left = pending; left != 0; left &= left - 1) {
      int i = from + Long.numberOfTrailingZeros(left);
      int leaf = next(base, leaves[i], addresses[i]);
      leaves[i] = leaf;
      still |= (long) (leaf >>> 31) << i; // from is a multiple of 64
    }
    return still;
  }

  /** The first leaf, or its answer if it is a lone one. */
  private static int first(long base, int address) {
    long node = Node.address(base, Node.root(base, address >>> ROOT_SHIFT));
    return Lone.answer(node, Node.leaf(node, address >>> SLOT_SHIFT), address & NEXT);
  }

  private static int next(long base, int leaf, int address) {
    return Node.next(base, leaf, (long) address << 32, 0);
  }

  private static Prefix prefix(int address, int length) {
    if (length < 0 || length > 32) {
      throw new IllegalArgumentException("IPv4 prefix length %d; use 0 to 32".formatted(length));
    }
    return new Prefix((long) address << 32, 0, length);
  }

  /** Frees the memory; no reader may be left. */
  @Override
  public void close() {
    trie.close();
  }
}
