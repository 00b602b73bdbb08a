package io.gatun.fib.lpm;

/**
 * The 256 slots of a node that is being made, as runs of equal ones: most nodes have a dozen, and a
 * change costs those. Used by the writer only.
 *
 * <p>A slot is an int as {@link NodeCodec} says. {@code values} counts at the first slot of a run;
 * neighbouring runs may be equal until they are written.
 */
final class Slots {
  static final int WORDS = Node.SLOTS / 64;

  private final int[] values = new int[Node.SLOTS];

  /** Bit n is set when a run begins at slot n; bit 0 always. */
  private final long[] starts = new long[WORDS];

  /** All slots are {@code value}. */
  void fill(int value) {
    clear();
    values[0] = value;
  }

  /** Leaves one run, whose value is to be set by {@link #start}. */
  void clear() {
    starts[0] = 1;
    for (int word = 1; word < WORDS; word++) {
      starts[word] = 0;
    }
  }

  /** A run of {@code value} begins at {@code slot}; those before it stay. */
  void start(int slot, int value) {
    starts[slot >>> 6] |= 1L << slot;
    values[slot] = value;
  }

  int get(int slot) {
    return values[runOf(slot)];
  }

  /** Where the run that {@code slot} is in begins. */
  private int runOf(int slot) {
    int word = slot >>> 6;
    long before = starts[word] & (-1L >>> ~slot);
    while (before == 0) {
      before = starts[--word];
    }
    return (word << 6) + 63 - Long.numberOfLeadingZeros(before);
  }

  /** Slots {@code first} to {@code last}, which is not among them, become {@code value}. */
  void set(int first, int last, int value) {
    if (last < Node.SLOTS && (starts[last >>> 6] >>> last & 1) == 0) {
      start(last, get(last));
    }
    for (int word = first >>> 6; word <= last - 1 >>> 6; word++) {
      int from = Math.max(first - (word << 6), 0);
      int to = Math.min(last - (word << 6), 64);
      starts[word] &= ~(-1L >>> 64 - (to - from) << from);
    }
    start(first, value);
  }

  /** Where runs begin in slots {@code 64 * word} and the 63 after it. */
  long starts(int word) {
    return starts[word];
  }

  /** The first run's slot. */
  int value(int start) {
    return values[start];
  }

  /** Whether all slots are the same. */
  boolean isUniform() {
    int first = values[0];
    for (int word = 0; word < WORDS; word++) {
      for (long left = starts[word]; left != 0; left &= left - 1) {
        if (values[(word << 6) + Long.numberOfTrailingZeros(left)] != first) {
          return false;
        }
      }
    }
    return true;
  }
}
