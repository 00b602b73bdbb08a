package io.gatun.fib.lpm;

/**
 * The first {@code length} bits of a 128-bit key, most significant first; the rest are zero. IPv4
 * addresses are the top 32 bits of {@code high}.
 */
record Prefix(long high, long low, int length) {
  Prefix {
    if (high != (high & mask(length)) || low != (low & mask(length - 64))) {
      throw new IllegalArgumentException(
          "bits beyond /%d are set; clear the host part of the address".formatted(length));
    }
  }

  /** The prefix of {@code length} bits that this one lies in. */
  Prefix shortenedTo(int length) {
    return new Prefix(high & mask(length), low & mask(length - 64), length);
  }

  /** A word whose first {@code bits} bits are set; none below 1, all above 63. */
  private static long mask(int bits) {
    return bits <= 0 ? 0 : bits >= 64 ? -1L : -1L << (64 - bits);
  }
}
