package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/** TCP header, 20 to 60 bytes (RFC 9293, 3.1). Stateless; any thread. */
public final class Tcp {
  public static final int SOURCE_PORT = 0;
  public static final int DESTINATION_PORT = 2;
  public static final int SEQUENCE = 4;
  public static final int ACKNOWLEDGMENT = 8;
  public static final int DATA_OFFSET = 12;
  public static final int FLAGS = 13;
  public static final int WINDOW = 14;
  public static final int CHECKSUM = 16;
  public static final int URGENT = 18;

  /** Bytes without options. */
  public static final int HEADER = 20;

  public static final int FIN = 0x01;
  public static final int SYN = 0x02;
  public static final int RST = 0x04;
  public static final int PSH = 0x08;
  public static final int ACK = 0x10;
  public static final int URG = 0x20;

  private Tcp() {}

  /** True when {@code bytes} bytes hold a header with its options. */
  public static boolean fits(long l4, int bytes) {
    if (bytes < HEADER) {
      return false;
    }
    int header = headerBytes(l4);
    return header >= HEADER && header <= bytes;
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

  public static int sequence(long l4) {
    return Memory.getIntBe(l4 + SEQUENCE);
  }

  public static int acknowledgment(long l4) {
    return Memory.getIntBe(l4 + ACKNOWLEDGMENT);
  }

  /** Header bytes with options. */
  public static int headerBytes(long l4) {
    return Memory.getByte(l4 + DATA_OFFSET) >>> 4 << 2;
  }

  public static int flags(long l4) {
    return Memory.getByte(l4 + FLAGS);
  }

  public static int window(long l4) {
    return Memory.getShortBe(l4 + WINDOW);
  }

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

  /** Writes a header without options, window, checksum and urgent pointer 0. */
  public static void write(
      long l4, int source, int destination, int sequence, int acknowledgment, int flags) {
    Memory.putIntBe(l4, source << 16 | destination);
    Memory.putIntBe(l4 + SEQUENCE, sequence);
    Memory.putIntBe(l4 + ACKNOWLEDGMENT, acknowledgment);
    Memory.putIntBe(l4 + DATA_OFFSET, (HEADER >>> 2) << 28 | flags << 16);
    Memory.putIntBe(l4 + CHECKSUM, 0);
  }

  /** Applies {@code delta} (addresses and ports) to a full checksum. */
  public static void updateChecksum(long l4, int delta) {
    checksum(l4, Checksum.update(checksum(l4), delta));
  }

  /** Applies {@code delta} of addresses only to a partial checksum. */
  public static void updatePartialChecksum(long l4, int delta) {
    checksum(l4, Checksum.updatePartial(checksum(l4), delta));
  }

  /** {@code tcp 40000 > 80 [SYN,ACK] seq 1 ack 2}. */
  public static String print(long l4) {
    int flags = flags(l4);
    StringBuilder names = new StringBuilder();
    String[] all = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    for (int bit = 0; bit < all.length; bit++) {
      if ((flags & 1 << bit) != 0) {
        names.append(names.isEmpty() ? "" : ",").append(all[bit]);
      }
    }
    return "tcp %d > %d [%s] seq %s ack %s"
        .formatted(
            sourcePort(l4),
            destinationPort(l4),
            names,
            Integer.toUnsignedString(sequence(l4)),
            Integer.toUnsignedString(acknowledgment(l4)));
  }
}
