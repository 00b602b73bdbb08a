package io.gatun.flow;

/**
 * RFC 1624: by how much a ones' complement sum changes when words under it change. A delta is a
 * 16-bit ones' complement number; equation 3 of the RFC, so a result of 0 stays right.
 */
final class ChecksumDelta {
  private ChecksumDelta() {}

  /** Ones' complement sum of the halves of {@code word}, added to {@code sum}, not yet folded. */
  static long plus(long sum, int word) {
    return sum + (word >>> 16) + (word & 0xFFFF);
  }

  static long plus(long sum, long word) {
    return plus(plus(sum, (int) (word >>> 32)), (int) word);
  }

  /** 16 bits: what to add so that a sum over {@code from}'s words becomes one over {@code to}'s. */
  static int between(long from, long to) {
    return fold(fold(to) + (~fold(from) & 0xFFFF));
  }

  static int fold(long sum) {
    long s = (sum & 0xFFFFFFFFL) + (sum >>> 32);
    s = (s & 0xFFFF) + (s >>> 16);
    s = (s & 0xFFFF) + (s >>> 16);
    return (int) ((s & 0xFFFF) + (s >>> 16));
  }

  /** A checksum as headers carry it: the complement of the sum. */
  static int applyToChecksum(int checksum, int delta) {
    int sum = (~checksum & 0xFFFF) + delta;
    return ~((sum & 0xFFFF) + (sum >>> 16)) & 0xFFFF;
  }

  /** A bare sum, as in a checksum that is still to be completed. */
  static int applyToSum(int checksum, int delta) {
    int sum = checksum + delta;
    return (sum & 0xFFFF) + (sum >>> 16);
  }
}
