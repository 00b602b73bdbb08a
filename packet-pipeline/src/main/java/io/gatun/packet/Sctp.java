package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/**
 * The common header of SCTP, 12 bytes (RFC 9260, 3.1): only its ports. Its checksum is a CRC32c of
 * the packet without pseudo-header, which changed addresses leave right. Stateless; any thread.
 */
public final class Sctp {
  public static final int SOURCE_PORT = 0;
  public static final int DESTINATION_PORT = 2;
  public static final int VERIFICATION_TAG = 4;
  public static final int CHECKSUM = 8;
  public static final int HEADER = 12;

  private Sctp() {}

  public static boolean fits(int bytes) {
    return bytes >= HEADER;
  }

  /** Both ports at once, {@code source << 16 | destination}. */
  public static int ports(long l4) {
    return Memory.getIntBe(l4);
  }

  /** Writes the checksum of a packet of {@code bytes}, header included. */
  public static void complete(long l4, int bytes) {
    Memory.putIntBe(l4 + CHECKSUM, 0);
    Memory.putIntBe(l4 + CHECKSUM, Crc32c.of(l4, bytes));
  }

  /** Whether the checksum is that of the packet; it is written to meanwhile. */
  public static boolean isRight(long l4, int bytes) {
    int is = Memory.getIntBe(l4 + CHECKSUM);
    complete(l4, bytes);
    boolean right = Memory.getIntBe(l4 + CHECKSUM) == is;
    Memory.putIntBe(l4 + CHECKSUM, is);
    return right;
  }

  /**
   * Whether a stack that leaves checksums to its device has left this one: it writes 0. If it is a
   * checksum all the same, then that of the packet.
   */
  public static boolean isUndone(long l4) {
    return Memory.getIntBe(l4 + CHECKSUM) == 0;
  }

  /** {@code sctp 40000 > 5000}. */
  public static String print(long l4) {
    return "sctp %d > %d".formatted(ports(l4) >>> 16, ports(l4) & 0xFFFF);
  }
}
