package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;

/**
 * IPv6 longest prefix match. One writer ({@link #add}, {@link #remove}, {@link #close}), many
 * readers ({@link #lookup}), without locks.
 *
 * <p>An address is two longs, the first eight octets in {@code high}. Next hops are positive
 * numbers; 0 is no route.
 */
public final class Lpm6 implements AutoCloseable {
  private final Nodes nodes;
  private final TrieWriter writer;

  /** Room for {@code nodes} tables of 1 KiB to begin with; it grows. */
  public Lpm6(String name, int nodes, Retirement retirement) {
    this.nodes = new Nodes(name, nodes, retirement);
    writer = new TrieWriter(this.nodes);
  }

  /** Adds the prefix or replaces its next hop. */
  public void add(long high, long low, int length, int nextHop) {
    writer.add(prefix(high, low, length), nextHop);
  }

  /** True when the prefix was there. */
  public boolean remove(long high, long low, int length) {
    return writer.remove(prefix(high, low, length));
  }

  /** Next hop of exactly this prefix, for the writer; 0 for none. */
  public int nextHop(long high, long low, int length) {
    return writer.nextHop(prefix(high, low, length));
  }

  /** Number of prefixes. */
  public int size() {
    return writer.size();
  }

  /** Tables below the root, of 1 KiB each, that are in use or wait for their readers to go. */
  public int nodesInUse() {
    return nodes.inUse();
  }

  /** Next hop of the longest prefix that contains the address, 0 for none. */
  public int lookup(long high, long low) {
    return lookup(nodes.base(), high, low);
  }

  /** Next hops of {@code count} addresses into {@code nextHops}. */
  public void lookup(long[] high, long[] low, int[] nextHops, int count) {
    long base = nodes.base();
    // Depths differ widely between addresses, so that going level by level gains little beyond the
    // roots: those are loaded first, for all.
    for (int i = 0; i < count; i++) {
      nextHops[i] = Memory.getInt(base + (high[i] >>> 48) * 4);
    }
    for (int i = 0; i < count; i++) {
      if (Nodes.isNode(nextHops[i])) {
        nextHops[i] = descend(base, nextHops[i], high[i], low[i]);
      }
    }
  }

  private static int lookup(long base, long high, long low) {
    return descend(base, Memory.getInt(base + (high >>> 48) * 4), high, low);
  }

  // Dependent loads stay in order by themselves: see Lpm4.
  private static int descend(long base, int slot, long high, long low) {
    for (int shift = 40; Nodes.isNode(slot) && shift >= 0; shift -= 8) {
      slot = Memory.getInt(Nodes.slotAddress(base, slot, (int) (high >>> shift) & 0xFF));
    }
    for (int shift = 56; Nodes.isNode(slot); shift -= 8) {
      slot = Memory.getInt(Nodes.slotAddress(base, slot, (int) (low >>> shift) & 0xFF));
    }
    return slot;
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
    nodes.close();
  }
}
