package io.gatun.flow;

/**
 * The hash of a new flow's tuple by which its endpoint is chosen: the same on every node and in
 * every process, so that a client that comes by another node meets the same endpoint. Nothing in
 * memory is found by it, since anybody can make up tuples of which it is the same.
 */
final class AgreedHash {
  // Odd, with half of the bits set: wyhash's default secret.
  private static final long A = 0xa0761d6478bd642fL;
  private static final long B = 0xe7037ed1a0b428dbL;
  private static final long C = 0x8ebc6af09c88c6e3L;
  private static final long D = 0x589965cc75374cc3L;

  private AgreedHash() {}

  static int ofKey(long key, long addresses) {
    return (int) (TupleMixer.mixed(key, addresses, A, B, C, D) >>> 32);
  }

  static int ofKey(long key, long s0, long s1, long d0, long d1) {
    return TupleMixer.hash(key, s0, s1, d0, d1, A, B, C, D);
  }
}
