package io.gatun.fib.lpm;

/**
 * A node that is being made or was read: its 64 slots, as runs of equal ones, and its guard. Used
 * by the writer only.
 *
 * <p>A slot is a leaf as {@link Node} says. Neighbouring runs may be equal until they are written.
 */
final class Slots {
  private final int[] values = new int[Node.SLOTS];

  /** Bit n is set when a run begins at slot n; bit 0 always. {@code values} counts there. */
  private long starts = 1;

  /** The first bit of an address that the slots go by. */
  private int from;

  /** Guard: the bits of the word before {@link #from}, and the leaf of what has others. */
  private long prefix;

  private int miss;

  /** All slots are {@code value}, of a node without a guard that goes by the bits from here on. */
  void begin(int from, int value) {
    guard(from, 0, value);
    fill(value);
  }

  /** What a guard says; the slots stay. */
  void guard(int from, long prefix, int miss) {
    this.from = from;
    this.prefix = prefix;
    this.miss = miss;
  }

  void fill(int value) {
    starts = 1;
    values[0] = value;
  }

  int from() {
    return from;
  }

  /** The first bit behind those that the slots go by. */
  int end() {
    return from + Node.STRIDE;
  }

  long prefix() {
    return prefix;
  }

  int miss() {
    return miss;
  }

  /** A run of {@code value} begins at {@code slot}; those before it stay. */
  void start(int slot, int value) {
    starts |= 1L << slot;
    values[slot] = value;
  }

  int get(int slot) {
    long before = starts & (-1L >>> ~slot);
    return values[63 - Long.numberOfLeadingZeros(before)];
  }

  /** Slots {@code first} to {@code last}, which is not among them, become {@code value}. */
  void set(int first, int last, int value) {
    if (last < Node.SLOTS && (starts >>> last & 1) == 0) {
      start(last, get(last));
    }
    starts &= ~(-1L >>> (Node.SLOTS - (last - first)) << first);
    start(first, value);
  }

  /** Where runs begin. */
  long starts() {
    return starts;
  }

  /** The value of the run that begins at {@code slot}. */
  int value(int slot) {
    return values[slot];
  }

  /** Whether all slots are the same next hop. */
  boolean isUniform() {
    int first = values[0];
    for (long left = starts; left != 0; left &= left - 1) {
      if (values[Long.numberOfTrailingZeros(left)] != first) {
        return false;
      }
    }
    return !Node.isChild(first);
  }
}
