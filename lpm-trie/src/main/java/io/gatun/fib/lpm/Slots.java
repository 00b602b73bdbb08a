package io.gatun.fib.lpm;

/**
 * A node that is being made or was read: its 64 slots, as runs of equal ones, and its guard. Used
 * by the writer only.
 *
 * <p>A slot is a leaf as {@link Node} says, in the low word of a long; of a {@link Lone} one the
 * next hop of the other addresses is the high word. Neighbouring runs may be equal until they are
 * written.
 */
final class Slots {
  private final long[] values = new long[Node.SLOTS];

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

  void fill(long value) {
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
  void start(int slot, long value) {
    starts |= 1L << slot;
    values[slot] = value;
  }

  long get(int slot) {
    long before = starts & (-1L >>> ~slot);
    return values[63 - Long.numberOfLeadingZeros(before)];
  }

  /** Slots {@code first} to {@code last}, which is not among them, become {@code value}. */
  void set(int first, int last, long value) {
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
  long value(int slot) {
    return values[slot];
  }

  /** The leaf of that run. */
  int leaf(int slot) {
    return (int) values[slot];
  }

  /** A slot with a leaf that is nothing but itself. */
  static long of(int leaf) {
    return leaf & 0xFFFFFFFFL;
  }

  static long ofLone(int leaf, int miss) {
    return (long) miss << 32 | of(leaf);
  }

  /** Next hop of the addresses that a lone slot's prefix does not contain. */
  static int miss(long lone) {
    return (int) (lone >>> 32);
  }

  /** Whether all slots are the same next hop. */
  boolean isUniform() {
    long first = values[0];
    for (long left = starts; left != 0; left &= left - 1) {
      if (values[Long.numberOfTrailingZeros(left)] != first) {
        return false;
      }
    }
    return Node.isNextHop((int) first);
  }
}
