package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.util.Arrays;

/**
 * The memory of a trie: the root, then numbered nodes. Single writer; readers load {@link #base}
 * once and may go on with it until they are next quiescent.
 *
 * <p>When the nodes run out everything is copied into an area twice as large and the new base is
 * published: numbers stay valid, and readers of the old area see the table as it was.
 */
final class Nodes implements AutoCloseable {
  static final int ROOT_BITS = 16;
  static final int ROOT_SLOTS = 1 << ROOT_BITS;
  static final int NODE_SLOTS = 256;

  private static final long ROOT_BYTES = ROOT_SLOTS * 4L;
  private static final int NODE_SHIFT = 10;

  /** The bit that tells a node's number from a next hop. */
  private static final int NODE = 1 << 31;

  private final String name;
  private final Retirement retirement;

  private NativeArea area;
  private volatile long base;

  private int capacity;
  private int used;
  private int[] free = new int[16];
  private int freeCount;

  /** One more than the length of the prefix that a slot's answer came from; the writer's own. */
  private final byte[] rootDepths = new byte[ROOT_SLOTS];

  private byte[][] nodeDepths;

  Nodes(String name, int capacity, Retirement retirement) {
    this.name = name;
    this.capacity = capacity;
    this.retirement = retirement;
    area = NativeArea.map(name, ROOT_BYTES + ((long) capacity << NODE_SHIFT));
    base = area.address();
    nodeDepths = new byte[capacity][];
  }

  /** Where the root starts, in the memory that is current now. */
  long base() {
    return base;
  }

  static boolean isNode(int slot) {
    return slot < 0;
  }

  /** Address of slot {@code index} of the node that {@code slot} names. */
  static long slotAddress(long base, int slot, int index) {
    return base + ROOT_BYTES + ((long) (slot & ~NODE) << NODE_SHIFT) + index * 4L;
  }

  /** Number of nodes that are in use or wait for their readers to go. */
  int inUse() {
    return used - freeCount;
  }

  /** Offset from the base of the node's first slot, or of the root's for a slot of 0. */
  private long offset(int table) {
    return table == 0 ? 0 : ROOT_BYTES + ((long) (table & ~NODE) << NODE_SHIFT);
  }

  int get(int table, int index) {
    return Memory.getInt(base + offset(table) + index * 4L);
  }

  /** Pairs with the readers' acquire: a node is whole before they find it. */
  void publish(int table, int index, int slot, int depth) {
    Memory.putIntRelease(base + offset(table) + index * 4L, slot);
    depths(table)[index] = (byte) (depth + 1);
  }

  /** Length of the prefix that the slot's answer came from, -1 where there is no route. */
  int depth(int table, int index) {
    return (depths(table)[index] & 0xFF) - 1;
  }

  /** A node whose 256 slots all hold {@code slot} from a prefix of length {@code depth}. */
  int create(int slot, int depth) {
    int number = freeCount > 0 ? free[--freeCount] : next();
    int table = number | NODE;
    long address = base + offset(table);
    for (int i = 0; i < NODE_SLOTS; i++) {
      Memory.putInt(address + i * 4L, slot);
    }
    byte[] depths = new byte[NODE_SLOTS];
    Arrays.fill(depths, (byte) (depth + 1));
    nodeDepths[number] = depths;
    return table;
  }

  /** Gives a node back after its last reader; nothing points at it any more. */
  void retire(int table) {
    int number = table & ~NODE;
    retirement.retire(() -> {
      if (freeCount == free.length) {
        free = Arrays.copyOf(free, freeCount * 2);
      }
      free[freeCount++] = number;
    });
  }

  private int next() {
    if (used == capacity) {
      grow();
    }
    return used++;
  }

  private void grow() {
    NativeArea old = area;
    NativeArea larger = NativeArea.map(name, ROOT_BYTES + ((long) capacity << (NODE_SHIFT + 1)));
    Memory.copy(old.address(), larger.address(), ROOT_BYTES + ((long) capacity << NODE_SHIFT));
    capacity *= 2;
    nodeDepths = Arrays.copyOf(nodeDepths, capacity);
    area = larger;
    base = larger.address();
    retirement.retire(old::close);
  }

  private byte[] depths(int table) {
    return table == 0 ? rootDepths : nodeDepths[table & ~NODE];
  }

  @Override
  public void close() {
    area.close();
  }
}
