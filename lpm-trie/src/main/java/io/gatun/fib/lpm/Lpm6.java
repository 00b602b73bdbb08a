package io.gatun.fib.lpm;

/**
 * IPv6 longest prefix match. One writer ({@link #add}, {@link #remove}, {@link #close}), many
 * readers ({@link #lookup}), without locks.
 *
 * <p>An address is two longs, the first eight octets in {@code high}. Next hops are 1 to 32,767; 0
 * is no route.
 */
public final class Lpm6 implements AutoCloseable {
  private final Trie trie;

  /** An empty table; it grows and shrinks with its routes. {@code name} is for messages. */
  public Lpm6(String name, Retirement retirement) {
    this(name, PagedRoot.MANY, retirement);
  }

  Lpm6(String name, int many, Retirement retirement) {
    trie = new Trie(name, new PagedRoot(many), 0, retirement);
  }

  /** Adds the prefix or replaces its next hop. */
  public void add(long high, long low, int length, int nextHop) {
    trie.add(prefix(high, low, length), nextHop);
  }

  /** True when the prefix was there. */
  public boolean remove(long high, long low, int length) {
    return trie.remove(prefix(high, low, length));
  }

  /** Next hop of exactly this prefix, for the writer; 0 for none. */
  public int nextHop(long high, long low, int length) {
    return trie.nextHop(prefix(high, low, length));
  }

  /** Number of prefixes. */
  public int size() {
    return trie.size();
  }

  /** Bytes of the table that are in use or wait for their readers to go; the RIB is not in it. */
  public long bytes() {
    return trie.bytes();
  }

  /** Whether so many prefixes begin like this address that the root has a page for them. */
  boolean hasPage(long high) {
    return PagedRoot.isPage(PagedRoot.entry(trie.base(), high));
  }

  /** Next hop of the longest prefix that contains the address, 0 for none. */
  public int lookup(long high, long low) {
    long base = trie.base();
    int leaf = first(base, high);
    while (Node.isChild(leaf)) {
      leaf = Node.next(base, leaf, high, low);
    }
    return leaf;
  }

  /** Next hops of {@code count} addresses into {@code nextHops}, as {@link Lpm4} does it. */
  public void lookup(long[] high, long[] low, int[] nextHops, int count) {
    long base = trie.base();
    for (int from = 0; from < count; from += Long.SIZE) {
      long pending = first(base, high, nextHops, from, Math.min(count - from, Long.SIZE));
      while (pending != 0) {
        pending = next(base, high, low, nextHops, from, pending);
      }
    }
  }

  /**
   * The first leaf of each; a bit for each of those that have another node to go to. Loops that do
   * one thing each: the shorter they are, the more misses are under way at a time.
   */
  private static long first(long base, long[] high, int[] leaves, int from, int count) {
    for (int i = from; i < from + count; i++) {
      leaves[i] = PagedRoot.entry(base, high[i]);
    }
    for (int i = from; i < from + count; i++) {
      leaves[i] = PagedRoot.node(base, leaves[i], high[i]);
    }
    for (int i = from; i < from + count; i++) {
      leaves[i] = PagedRoot.leaf(base, leaves[i], high[i]);
    }
    long pending = 0;
    for (int i = from; i < from + count; i++) {
      pending |= (long) (leaves[i] >>> 31) << i; // from is a multiple of 64
    }
    return pending;
  }

  private static long next(
      long base, long[] high, long[] low, int[] leaves, int from, long pending) {
    long still = 0;
    for (long left = pending; left != 0; left &= left - 1) {
      int i = from + Long.numberOfTrailingZeros(left);
      int leaf = Node.next(base, leaves[i], high[i], low[i]);
      leaves[i] = leaf;
      still |= (long) (leaf >>> 31) << i; // from is a multiple of 64
    }
    return still;
  }

  private static int first(long base, long high) {
    return PagedRoot.leaf(base, PagedRoot.node(base, PagedRoot.entry(base, high), high), high);
  }

  private static Prefix prefix(long high, long low, int length) {
    if (length < 0 || length > 128) {
      throw new IllegalArgumentException("IPv6 prefix length %d; use 0 to 128".formatted(length));
    }
    return new Prefix(high, low, length);
  }

  /** Frees the memory; no reader may be left. */
  @Override
  public void close() {
    trie.close();
  }
}
