package io.gatun.flow;

/**
 * How a tuple becomes a hash, by four odd numbers that {@link FlowHash} or {@link AgreedHash} has.
 */
final class TupleMixer {
  private TupleMixer() {}

  /**
   * 64 bits of which the upper half is the hash of an IPv4 tuple. A product has its best bits on
   * top; they are brought down, and the next product carries them up again (as in MurmurHash3).
   */
  static long mixed(long key, long addresses, long a, long b, long c, long d) {
    long sum = addresses * a ^ (key >>> 32 | key << 32) * b;
    long product = (sum ^ sum >>> 32) * c;
    return (product ^ product >>> 32) * d;
  }

  /** The hash of an IPv6 tuple: the ports are in both factors of the last product. */
  static int hash(long key, long s0, long s1, long d0, long d1, long a, long b, long c, long d) {
    long source = mix(s0 ^ a, s1 ^ b) ^ key;
    long destination = mix(d0 ^ c, d1 ^ d) ^ (key >>> 32 | key << 32);
    return fold(mix(source, destination));
  }

  private static long mix(long a, long b) {
    return a * b ^ Math.unsignedMultiplyHigh(a, b);
  }

  private static int fold(long h) {
    return (int) (h ^ h >>> 32);
  }
}
