package io.gatun.ring.xdp;

/**
 * Where a ring lies: absolute addresses of its two indices, flags and entries.
 *
 * @param size entries, a power of two
 */
record RingMemory(long producer, long consumer, long flags, long entries, int size) {
  RingMemory {
    if (Integer.bitCount(size) != 1) {
      throw new IllegalArgumentException("ring of %d entries: take a power of two".formatted(size));
    }
  }
}
