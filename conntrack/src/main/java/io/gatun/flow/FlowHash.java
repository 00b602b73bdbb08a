package io.gatun.flow;

/**
 * The hash of a five-tuple, direction-sensitive: computed once a packet, it finds the bucket, the
 * Maglev slot and later a tunnel's source port. The same on every node, so that nodes agree on
 * endpoints.
 *
 * <p>IPv4 takes only what there are vector instructions for: the compiler works on eight packets at
 * once ({@link TupleColumns}). IPv6 folds 128-bit products (wyhash's mixer). Every input bit
 * reaches every output bit.
 */
public final class FlowHash {
  // Odd, with half of the bits set: wyhash's default secret.
  private static final long A = 0xa0761d6478bd642fL;
  private static final long B = 0xe7037ed1a0b428dbL;
  private static final long C = 0x8ebc6af09c88c6e3L;
  private static final long D = 0x589965cc75374cc3L;

  private FlowHash() {}

  /** IPv4: host order addresses, {@code ports} as in {@code PacketVector.ports}. */
  public static int of(int source, int destination, int ports, int protocol) {
    return ofKey(
        FlowLayout.key(ports, FlowLayout.IPV4, protocol),
        ((long) source << 32) | (destination & 0xFFFFFFFFL));
  }

  /** IPv6: each address as its high and low 64 bits in host order. */
  public static int of(
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int ports,
      int protocol) {
    return ofKey(
        FlowLayout.key(ports, FlowLayout.IPV6, protocol),
        sourceHigh,
        sourceLow,
        destinationHigh,
        destinationLow);
  }

  static int ofKey(long key, long addresses) {
    return ofMixed(mixed(key, addresses));
  }

  /**
   * 64 bits of which the upper half is the hash of an IPv4 tuple. A product has its best bits on
   * top; they are brought down, and the next product carries them up again (as in MurmurHash3).
   */
  static long mixed(long key, long addresses) {
    long sum = addresses * A ^ (key >>> 32 | key << 32) * B;
    long product = (sum ^ sum >>> 32) * C;
    return (product ^ product >>> 32) * D;
  }

  static int ofMixed(long mixed) {
    return (int) (mixed >>> 32);
  }

  static int ofKey(long key, long s0, long s1, long d0, long d1) {
    return fold(mix(mix(s0 ^ A, s1 ^ B) + mix(d0 ^ C, d1 ^ D) ^ key, B) ^ mix(key ^ C, A));
  }

  private static long mix(long a, long b) {
    return a * b ^ Math.unsignedMultiplyHigh(a, b);
  }

  private static int fold(long h) {
    return (int) (h ^ h >>> 32);
  }
}
