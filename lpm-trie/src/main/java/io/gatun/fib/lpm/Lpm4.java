package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;

/**
 * IPv4 longest prefix match. One writer ({@link #add}, {@link #remove}, {@link #close}), many
 * readers ({@link #lookup}), without locks.
 *
 * <p>Addresses are ints with the first octet highest. Next hops are positive numbers; 0 is no
 * route.
 */
public final class Lpm4 implements AutoCloseable {
  private final Nodes nodes;
  private final TrieWriter writer;

  /** Room for {@code nodes} tables of 1 KiB to begin with; it grows. */
  public Lpm4(String name, int nodes, Retirement retirement) {
    this.nodes = new Nodes(name, nodes, retirement);
    writer = new TrieWriter(this.nodes);
  }

  /** Adds the prefix or replaces its next hop. */
  public void add(int address, int length, int nextHop) {
    writer.add(prefix(address, length), nextHop);
  }

  /** True when the prefix was there. */
  public boolean remove(int address, int length) {
    return writer.remove(prefix(address, length));
  }

  /** Next hop of exactly this prefix, for the writer; 0 for none. */
  public int nextHop(int address, int length) {
    return writer.nextHop(prefix(address, length));
  }

  /** Number of prefixes. */
  public int size() {
    return writer.size();
  }

  /** Tables below the root, of 1 KiB each, that are in use or wait for their readers to go. */
  public int nodesInUse() {
    return nodes.inUse();
  }

  /** Next hop of the longest prefix that contains {@code address}, 0 for none. */
  public int lookup(int address) {
    return lookup(nodes.base(), address);
  }

  /** Next hops of {@code count} addresses into {@code nextHops}, their cache misses overlapped. */
  public void lookup(int[] addresses, int[] nextHops, int count) {
    long base = nodes.base();
    int deeper = 0;
    for (int i = 0; i < count; i++) {
      int slot = Memory.getInt(base + (addresses[i] >>> 16) * 4L);
      nextHops[i] = slot;
      deeper |= slot;
    }
    for (int shift = 8; Nodes.isNode(deeper); shift -= 8) {
      deeper = 0;
      for (int i = 0; i < count; i++) {
        int slot = nextHops[i];
        if (Nodes.isNode(slot)) {
          slot = Memory.getInt(Nodes.slotAddress(base, slot, (addresses[i] >>> shift) & 0xFF));
          nextHops[i] = slot;
          deeper |= slot;
        }
      }
    }
  }

  // No acquire: the address of the next load depends on the value of this one, and every processor
  // that the JVM runs on keeps dependent loads in order.
  private static int lookup(long base, int address) {
    int slot = Memory.getInt(base + (address >>> 16) * 4L);
    for (int shift = 8; Nodes.isNode(slot); shift -= 8) {
      slot = Memory.getInt(Nodes.slotAddress(base, slot, (address >>> shift) & 0xFF));
    }
    return slot;
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
    nodes.close();
  }
}
