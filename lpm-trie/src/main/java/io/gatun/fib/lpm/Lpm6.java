package io.gatun.fib.lpm;

/**
 * IPv6 longest prefix match. One writer ({@link #add}, {@link #remove}, {@link #close}), many
 * readers ({@link #lookup}), without locks.
 *
 * <p>An address is two longs, the first eight octets in {@code high}. Next hops are 1 to 32,767; 0
 * is no route.
 */
public final class Lpm6 implements AutoCloseable {
  /** A node's own routes fit without growing: 256 KiB beside the root's. */
  private static final int UNITS = 1 << 14;

  private final Trie trie;

  /** An empty table; it grows and shrinks with its routes. {@code name} is for messages. */
  public Lpm6(String name, Retirement retirement) {
    trie = new Trie(name, 128, UNITS, retirement);
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

  /** Next hop of the longest prefix that contains the address, 0 for none. */
  public int lookup(long high, long low) {
    return lookup(trie.base(), high, low);
  }

  /** Next hops of {@code count} addresses into {@code nextHops}. */
  public void lookup(long[] high, long[] low, int[] nextHops, int count) {
    long base = trie.base();
    for (int i = 0; i < count; i++) {
      nextHops[i] = lookup(base, high[i], low[i]);
    }
  }

  private static int lookup(long base, long high, long low) {
    long node = Node.root(base, (int) (high >>> 48));
    for (int shift = 40; shift >= 0; shift -= 8) {
      int leaf = Node.leaf(base, node, (int) (high >>> shift) & 0xFF);
      if (leaf >= 0) {
        return leaf;
      }
      node = Node.child(base, node, leaf);
    }
    for (int shift = 56; ; shift -= 8) {
      int leaf = Node.leaf(base, node, (int) (low >>> shift) & 0xFF);
      if (leaf >= 0) {
        return leaf;
      }
      node = Node.child(base, node, leaf);
    }
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
