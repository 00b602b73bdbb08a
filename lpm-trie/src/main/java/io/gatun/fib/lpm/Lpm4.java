package io.gatun.fib.lpm;

/**
 * IPv4 longest prefix match. One writer ({@link #add}, {@link #remove}, {@link #close}), many
 * readers ({@link #lookup}), without locks.
 *
 * <p>Addresses are ints with the first octet highest. Next hops are 1 to 32,767; 0 is no route.
 */
public final class Lpm4 implements AutoCloseable {
  /** A node's own routes fit without growing: 256 KiB beside the root's. */
  private static final int UNITS = 1 << 14;

  private final Trie trie;

  /** An empty table; it grows and shrinks with its routes. {@code name} is for messages. */
  public Lpm4(String name, Retirement retirement) {
    trie = new Trie(name, 32, UNITS, retirement);
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
    return lookup(trie.base(), address);
  }

  /** Next hops of {@code count} addresses into {@code nextHops}, their cache misses overlapped. */
  public void lookup(int[] addresses, int[] nextHops, int count) {
    long base = trie.base();
    for (int i = 0; i < count; i++) {
      nextHops[i] = lookup(base, addresses[i]);
    }
  }

  private static int lookup(long base, int address) {
    long node = Node.root(base, address >>> 16);
    int leaf = Node.leaf(base, node, address >>> 8 & 0xFF);
    return leaf >= 0 ? leaf : Node.leaf(base, Node.child(base, node, leaf), address & 0xFF);
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
