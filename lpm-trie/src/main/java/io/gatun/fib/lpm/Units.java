package io.gatun.fib.lpm;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.util.Arrays;

/**
 * The memory of a trie: the root, then pieces of 1 to {@value #LARGEST} units of 16 bytes. Single
 * writer; readers load {@link #base} once and may go on with it until they are next quiescent.
 *
 * <p>Pieces of one size are cut from slabs of 4 KiB, so that a freed piece fits the next of its
 * size and nodes lie on lines of their own. When the area is full it is copied into one twice as
 * large: readers of the old area see the table as it was.
 */
final class Units implements AutoCloseable {
  /** A root's page; a node with a guard and 64 leaves is much smaller. */
  static final int LARGEST = PagedRoot.PAGE_UNITS;

  private static final int SLAB = 256;

  private final String name;
  private final Retirement retirement;
  private NativeArea area;
  private boolean closed;
  private volatile long base;

  private final int rootUnits;

  /** Units that were cut so far, without the root. */
  private int cut;

  private int live;
  private final int[][] free = new int[LARGEST + 1][0];
  private final int[] freeCount = new int[LARGEST + 1];
  private final int[] slabNext = new int[LARGEST + 1];
  private final int[] slabEnd = new int[LARGEST + 1];

  /** A root of {@code rootUnits}, all of it 0, and room for {@code units} to begin with. */
  Units(String name, int rootUnits, int units, Retirement retirement) {
    this.name = name;
    this.rootUnits = rootUnits;
    this.retirement = retirement;
    area = NativeArea.map(name, (long) (rootUnits + units) * Node.UNIT);
    base = area.address();
  }

  /** Where unit 0 is, in the memory that is current now. */
  long base() {
    return base;
  }

  /** Bytes in use, with the root and with what waits for its readers to go. */
  long bytes() {
    return (long) (rootUnits + live) * Node.UNIT;
  }

  /** Units in use without the root, with what waits for its readers to go. */
  int live() {
    return live;
  }

  /** Units that were ever in use, without the root. */
  int cut() {
    return cut;
  }

  /** Number of the first of {@code units} units, of which nobody knows yet. */
  int take(int units) {
    live += units;
    if (freeCount[units] > 0) {
      return free[units][--freeCount[units]];
    }
    if (slabNext[units] + units > slabEnd[units]) {
      int slab = Math.max(SLAB, units);
      int first = rootUnits + cut;
      while ((long) (first + slab) * Node.UNIT > area.bytes()) {
        grow();
      }
      slabNext[units] = first;
      slabEnd[units] = first + slab;
      cut += slab;
    }
    int unit = slabNext[units];
    slabNext[units] += units;
    return unit;
  }

  /** Takes {@code units} units from {@code unit} on back, of which no reader knows any more. */
  void give(int unit, int units) {
    live -= units;
    if (freeCount[units] == free[units].length) {
      free[units] = Arrays.copyOf(free[units], Math.max(16, freeCount[units] * 2));
    }
    free[units][freeCount[units]++] = unit;
  }

  private void grow() {
    NativeArea old = area;
    NativeArea larger = NativeArea.map(name, old.bytes() * 2);
    Memory.copy(old.address(), larger.address(), old.bytes());
    area = larger;
    base = larger.address();
    retirement.retire(old::close);
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    closed = true;
    area.close();
  }
}
