package io.gatun.ffm.memory;

import java.util.Arrays;

/**
 * What may be accessed: every area of native memory we own, by address. Consulted only with {@code
 * -Dgatun.memory.checks=true}, and then for every access: it looks into a sorted array and makes no
 * object, for the tests that count those. A test that wants reads beyond a packet's length to fail
 * gives the packet an area of exactly its length. Safe for use by many threads.
 */
public final class LiveAreas {
  /** First bytes and ends (exclusive), ascending; replaced as a whole, never changed. */
  private static final class Areas {
    final long[] starts;
    final long[] ends;

    Areas(long[] starts, long[] ends) {
      this.starts = starts;
      this.ends = ends;
    }

    /** Index of the last area that starts at or before {@code address}, −1 for none. */
    int floor(long address) {
      int at = Arrays.binarySearch(starts, address);
      return at >= 0 ? at : -at - 2;
    }
  }

  private static volatile Areas areas = new Areas(new long[0], new long[0]);

  private LiveAreas() {}

  /**
   * Makes {@code bytes} bytes from {@code address} accessible; an area that starts there already
   * becomes that long, and is there all the time.
   */
  public static synchronized void add(long address, long bytes) {
    Areas before = areas;
    int present = before.floor(address);
    if (present >= 0 && before.starts[present] == address) {
      long[] ends = before.ends.clone();
      ends[present] = address + bytes;
      areas = new Areas(before.starts, ends);
      return;
    }
    int at = present + 1;
    areas = new Areas(with(before.starts, at, address), with(before.ends, at, address + bytes));
  }

  /** Takes the area that starts at {@code address} away; unknown areas are ignored. */
  public static synchronized void remove(long address) {
    Areas before = areas;
    int at = before.floor(address);
    if (at >= 0 && before.starts[at] == address) {
      areas = new Areas(without(before.starts, at), without(before.ends, at));
    }
  }

  private static long[] with(long[] from, int at, long value) {
    long[] to = new long[from.length + 1];
    System.arraycopy(from, 0, to, 0, at);
    to[at] = value;
    System.arraycopy(from, at, to, at + 1, from.length - at);
    return to;
  }

  private static long[] without(long[] from, int at) {
    long[] to = Arrays.copyOf(from, from.length - 1);
    System.arraycopy(from, at + 1, to, at, to.length - at);
    return to;
  }

  static void check(long address, long bytes) {
    Areas now = areas;
    int at = now.floor(address);
    if (at < 0 || address + bytes > now.ends[at]) {
      throw new IndexOutOfBoundsException(
          "access to %d bytes at 0x%x, outside every live area".formatted(bytes, address));
    }
  }
}
