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

  /** {@code sctp 40000 > 5000}. */
  public static String print(long l4) {
    return "sctp %d > %d".formatted(ports(l4) >>> 16, ports(l4) & 0xFFFF);
  }
}
