package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/** ICMP for IPv4, 8 bytes and a body (RFC 792, RFC 1812). Stateless; any thread. */
public final class Icmp {
  public static final int TYPE = 0;
  public static final int CODE = 1;
  public static final int CHECKSUM = 2;

  /** Identifier of an echo; otherwise the second word. */
  public static final int IDENTIFIER = 4;

  public static final int SEQUENCE = 6;

  /** Next hop's MTU of "fragmentation needed" (RFC 1191). */
  public static final int MTU = 6;

  public static final int HEADER = 8;

  public static final int ECHO_REPLY = 0;
  public static final int DESTINATION_UNREACHABLE = 3;
  public static final int SOURCE_QUENCH = 4;
  public static final int REDIRECT = 5;
  public static final int ECHO = 8;
  public static final int TIME_EXCEEDED = 11;
  public static final int PARAMETER_PROBLEM = 12;
  public static final int TIMESTAMP = 13;
  public static final int TIMESTAMP_REPLY = 14;

  /** Codes of {@link #DESTINATION_UNREACHABLE}. */
  public static final int NET_UNREACHABLE = 0;

  public static final int HOST_UNREACHABLE = 1;
  public static final int PROTOCOL_UNREACHABLE = 2;
  public static final int PORT_UNREACHABLE = 3;
  public static final int FRAGMENTATION_NEEDED = 4;
  public static final int ADMINISTRATIVELY_PROHIBITED = 13;

  private Icmp() {}

  public static boolean fits(int bytes) {
    return bytes >= HEADER;
  }

  public static int type(long l4) {
    return Memory.getByte(l4 + TYPE);
  }

  public static int code(long l4) {
    return Memory.getByte(l4 + CODE);
  }

  public static int checksum(long l4) {
    return Memory.getShortBe(l4 + CHECKSUM);
  }

  public static int identifier(long l4) {
    return Memory.getShortBe(l4 + IDENTIFIER);
  }

  public static int sequence(long l4) {
    return Memory.getShortBe(l4 + SEQUENCE);
  }

  public static int mtu(long l4) {
    return Memory.getShortBe(l4 + MTU);
  }

  /** Quotes the packet it is about (RFC 1812, 4.3.2.7), so it must not be answered. */
  public static boolean error(int type) {
    return switch (type) {
      case DESTINATION_UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM ->
          true;
      default -> false;
    };
  }

  /** A question or answer that carries an identifier. */
  public static boolean query(int type) {
    return type == ECHO || type == ECHO_REPLY || type == TIMESTAMP || type == TIMESTAMP_REPLY;
  }

  public static void checksum(long l4, int checksum) {
    Memory.putShortBe(l4 + CHECKSUM, checksum);
  }

  public static void identifier(long l4, int identifier) {
    Memory.putShortBe(l4 + IDENTIFIER, identifier);
  }

  /** Writes the header; {@code rest} is its second word; the checksum is left 0. */
  public static void write(long l4, int type, int code, int rest) {
    Memory.putIntBe(l4, type << 24 | code << 16);
    Memory.putIntBe(l4 + IDENTIFIER, rest);
  }

  /** Over the whole message, without pseudo-header. */
  public static void computeChecksum(long l4, int bytes) {
    checksum(l4, 0);
    checksum(l4, Checksum.complement(Checksum.sum(l4, bytes)));
  }

  /** Applies {@code delta} of the message's own words (no pseudo-header, no addresses). */
  public static void updateChecksum(long l4, int delta) {
    checksum(l4, Checksum.update(checksum(l4), delta));
  }

  /** {@code icmp type 8 code 0}. */
  public static String print(long l4) {
    return "icmp type %d code %d".formatted(type(l4), code(l4));
  }
}
