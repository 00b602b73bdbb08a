package io.gatun.fib.lpm;

/**
 * How the first bits of an address lead to the first of its nodes, and how that one is named: by
 * its unit, or by its unit and the bit that it goes on at. Where a slot is is said by the first
 * {@link #finest} bits of its addresses. Used by the writer; {@code base} is the area's address.
 */
sealed interface Root permits FlatRoot, PagedRoot {
  /** Bits that no slot goes beyond: at most 30. */
  int finest();

  /** Units that it takes, from the first one on. */
  int units();

  /** Bits that all addresses of the slot have in common. */
  int bits(long base, int index);

  /** Address of the slot. */
  long slot(long base, int index);

  /** Name of a node for a slot of that many bits. */
  int name(int unit, int bits);

  int unit(int name);

  /** The first bit that the named node goes by. */
  int bits(int name);
}
