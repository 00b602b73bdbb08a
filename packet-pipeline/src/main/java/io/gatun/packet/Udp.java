package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/** UDP header, 8 bytes (RFC 768). Stateless; any thread. */
public final class Udp {
  public static final int SOURCE_PORT = 0;
  public static final int DESTINATION_PORT = 2;
  public static final int LENGTH = 4;
  public static final int CHECKSUM = 6;
  public static final int HEADER = 8;

  private Udp() {}

  /** True when {@code bytes} bytes hold the whole datagram that the header announces. */
  public static boolean fits(long l4, int bytes) {
    if (bytes < HEADER) {
      return false;
    }
    int length = length(l4);
    return length >= HEADER && length <= bytes;
  }

  public static int sourcePort(long l4) {
    return Memory.getShortBe(l4 + SOURCE_PORT);
  }

  public static int destinationPort(long l4) {
    return Memory.getShortBe(l4 + DESTINATION_PORT);
  }

  /** Both ports at once, {@code source << 16 | destination}. */
  public static int ports(long l4) {
    return Memory.getIntBe(l4);
  }

  /** Bytes of header and payload. */
  public static int length(long l4) {
    return Memory.getShortBe(l4 + LENGTH);
  }

  /** 0 says that there is none. */
  public static int checksum(long l4) {
    return Memory.getShortBe(l4 + CHECKSUM);
  }

  public static void sourcePort(long l4, int port) {
    Memory.putShortBe(l4 + SOURCE_PORT, port);
  }

  public static void destinationPort(long l4, int port) {
    Memory.putShortBe(l4 + DESTINATION_PORT, port);
  }

  public static void checksum(long l4, int checksum) {
    Memory.putShortBe(l4 + CHECKSUM, checksum);
  }

  /** Writes a header without checksum. */
  public static void write(long l4, int source, int destination, int length) {
    Memory.putIntBe(l4, source << 16 | destination);
    Memory.putIntBe(l4 + LENGTH, length << 16);
  }

  /** Applies {@code delta} (addresses and ports) to a full checksum; none stays none. */
  public static void updateChecksum(long l4, int delta) {
    checksum(l4, Checksum.updateUdp(checksum(l4), delta));
  }

  /** Applies {@code delta} of addresses only to a partial checksum. */
  public static void updatePartialChecksum(long l4, int delta) {
    checksum(l4, Checksum.updatePartial(checksum(l4), delta));
  }

  /** {@code udp 40000 > 53 length 20}. */
  public static String print(long l4) {
    return "udp %d > %d length %d".formatted(sourcePort(l4), destinationPort(l4), length(l4));
  }
}
