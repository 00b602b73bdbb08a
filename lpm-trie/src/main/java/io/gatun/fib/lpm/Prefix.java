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

  /** Bit {@code index} of the key, 0 being the most significant. */
  int bit(int index) {
    return bits(high, low, index, index + 1);
  }

  /** Bits {@code start} to {@code end} of a key; they must not cross from one word to the other. */
  static int bits(long high, long low, int start, int end) {
    long word = start < 64 ? high : low;
    return (int) (word << (start & 63) >>> (64 - end + start));
  }

  /** A word whose first {@code bits} bits are set; none below 1, all above 63. */
  private static long mask(int bits) {
    return bits <= 0 ? 0 : bits >= 64 ? -1L : -1L << (64 - bits);
  }
}
