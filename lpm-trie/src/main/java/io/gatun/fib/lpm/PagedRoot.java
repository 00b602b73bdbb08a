package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;

/**
 * A root that goes by 20 bits, and by 28 where many prefixes are: the Internet's IPv6 routes share
 * some hundreds of those first 20 bits, and there each step that a lookup need not make is worth
 * more than the memory of a page. Single writer; the static methods are the readers'.
 *
 * <pre>
 *   2^20 ints                    page: 2^8 ints             node
 *   ┌──────────────┬───────┐    ┌──────────────┬───────┐    ┌─────────┬────────┐
 *   │ unit of page │   8   │───►│ unit of node │   8   │───►│ bit map │ leaves │
 *   ├──────────────┼───────┤    └──────────────┴───────┘    └─────────┴────────┘
 *   │ unit of node │   0   │───► node
 *   └──────────────┴───────┘
 * </pre>
 *
 * <p>A node's name says behind how many more bits it goes on, so that a reader looks at the first
 * entry only once: it may have changed meanwhile.
 */
final class PagedRoot implements Root {
  /** What all addresses of a page have in common. */
  static final int FIRST_BITS = 20;

  private static final int PAGE_BITS = 8;

  /** A page is 1 KiB. */
  static final int PAGE_UNITS = (1 << PAGE_BITS) * Node.ROOT_SLOT_BYTES / Node.UNIT;

  /** Prefixes and forks whose nodes take no less than a page. */
  static final int MANY = 64;

  private static final int WIDTH_BITS = 4;
  private static final int WIDTH = (1 << WIDTH_BITS) - 1;

  /** Names are not negative: 2 GiB of nodes. */
  private static final int UNITS = 1 << 31 - WIDTH_BITS;

  private final int many;

  /**
   * @param many with more entries of the RIB than that there is a page; not with a quarter of them
   */
  PagedRoot(int many) {
    this.many = many;
  }

  int many() {
    return many;
  }

  int few() {
    return many / 4;
  }

  /** What the first bits lead to: a node's name, or a page. */
  static int entry(long base, long high) {
    return Node.root(base, high >>> (Long.SIZE - FIRST_BITS));
  }

  static boolean isPage(int entry) {
    return (entry & WIDTH) != 0;
  }

  /** Name of the first node, in the entry or in its page. No branch. */
  static int node(long base, int entry, long high) {
    int wide = -(entry >>> WIDTH_BITS - 1 & 1);
    long slot = high << FIRST_BITS >>> (Long.SIZE - PAGE_BITS) & wide;
    int inPage = Node.root(Node.address(base, entry >>> WIDTH_BITS & wide), slot);
    return entry ^ (entry ^ inPage) & wide;
  }

  /** The leaf of the node with that name. */
  static int leaf(long base, int name, long high) {
    int shift = Long.SIZE - FIRST_BITS - Node.STRIDE - (name & WIDTH);
    return Node.leaf(Node.address(base, name >>> WIDTH_BITS), (int) (high >>> shift));
  }

  @Override
  public int finest() {
    return FIRST_BITS + PAGE_BITS;
  }

  @Override
  public int units() {
    return (1 << FIRST_BITS) * Node.ROOT_SLOT_BYTES / Node.UNIT;
  }

  @Override
  public int bits(long base, int index) {
    return bits(Memory.getInt(first(base, index)));
  }

  @Override
  public long slot(long base, int index) {
    long first = first(base, index);
    int entry = Memory.getInt(first);
    return isPage(entry) ? inPage(base, unit(entry), index) : first;
  }

  /** Address of the entry that all slots have in common which begin with the same first bits. */
  long first(long base, int index) {
    return base + (long) (index >>> PAGE_BITS) * Node.ROOT_SLOT_BYTES;
  }

  /** Address of the slot in that page. */
  long inPage(long base, int page, int index) {
    int slot = index & (1 << PAGE_BITS) - 1;
    return Node.address(base, page) + (long) slot * Node.ROOT_SLOT_BYTES;
  }

  @Override
  public int name(int unit, int bits) {
    if (unit >= UNITS) {
      throw new IllegalStateException("a table of more than 2 GiB");
    }
    return unit << WIDTH_BITS | bits - FIRST_BITS;
  }

  @Override
  public int unit(int name) {
    return name >>> WIDTH_BITS;
  }

  @Override
  public int bits(int name) {
    return FIRST_BITS + (name & WIDTH);
  }
}
