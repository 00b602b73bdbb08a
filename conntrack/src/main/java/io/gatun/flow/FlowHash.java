package io.gatun.flow;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The hash of a five-tuple, direction-sensitive: computed once a packet, it finds the bucket and
 * later a tunnel's source port. Keyed by secrets of this process, so that nobody outside can make
 * up tuples that meet in one bucket; what nodes have to agree on goes by {@link AgreedHash}.
 *
 * <p>IPv4 takes only what there are vector instructions for: the compiler works on eight packets at
 * once ({@link TupleColumns}). IPv6 folds 128-bit products (wyhash's mixer). Every input bit
 * reaches every output bit.
 */
public final class FlowHash {
  private static final long A;
  private static final long B;
  private static final long C;
  private static final long D;

  static {
    long[] secrets = secrets();
    A = secrets[0];
    B = secrets[1];
    C = secrets[2];
    D = secrets[3];
  }

  private FlowHash() {}

  /** Four odd numbers of which about half of the bits are set, as wyhash wants its own to be. */
  private static long[] secrets() {
    long[] secrets = new long[4];
    // Not SecureRandom: its providers would be a tenth of a start.
    try (InputStream random = Files.newInputStream(Path.of("/dev/urandom"))) {
      for (int i = 0; i < secrets.length; ) {
        long secret = ByteBuffer.wrap(random.readNBytes(8)).getLong() | 1;
        if (Math.abs(Long.bitCount(secret) - 32) <= 4) {
          secrets[i++] = secret;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("no secret for the flow table from /dev/urandom", e);
    }
    return secrets;
  }

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

  /** 64 bits of which the upper half is the hash of an IPv4 tuple. */
  static long mixed(long key, long addresses) {
    return TupleMixer.mixed(key, addresses, A, B, C, D);
  }

  static int ofMixed(long mixed) {
    return (int) (mixed >>> 32);
  }

  static int ofKey(long key, long s0, long s1, long d0, long d1) {
    return TupleMixer.hash(key, s0, s1, d0, d1, A, B, C, D);
  }
}
