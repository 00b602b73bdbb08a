package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/** ICMPv6, 8 bytes and a body (RFC 4443); checksum with pseudo-header. Stateless; any thread. */
public final class Icmpv6 {
  public static final int TYPE = 0;
  public static final int CODE = 1;
  public static final int CHECKSUM = 2;
  public static final int IDENTIFIER = 4;
  public static final int SEQUENCE = 6;

  /** MTU of "packet too big", 32 bits. */
  public static final int MTU = 4;

  public static final int HEADER = 8;

  public static final int DESTINATION_UNREACHABLE = 1;
  public static final int PACKET_TOO_BIG = 2;
  public static final int TIME_EXCEEDED = 3;
  public static final int PARAMETER_PROBLEM = 4;
  public static final int ECHO = 128;
  public static final int ECHO_REPLY = 129;
  public static final int ROUTER_SOLICITATION = 133;
  public static final int ROUTER_ADVERTISEMENT = 134;
  public static final int NEIGHBOUR_SOLICITATION = 135;
  public static final int NEIGHBOUR_ADVERTISEMENT = 136;
  public static final int REDIRECT = 137;

  /** Codes of {@link #DESTINATION_UNREACHABLE}. */
  public static final int NO_ROUTE = 0;

  public static final int ADMINISTRATIVELY_PROHIBITED = 1;
  public static final int ADDRESS_UNREACHABLE = 3;
  public static final int PORT_UNREACHABLE = 4;

  private Icmpv6() {}

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
    return Memory.getIntBe(l4 + MTU);
  }

  /** Types below 128 are errors and quote a packet (RFC 4443, 2.1). */
  public static boolean error(int type) {
    return type < 128;
  }

  /** A question or answer that carries an identifier. */
  public static boolean query(int type) {
    return type == ECHO || type == ECHO_REPLY;
  }

  /** Never leaves its link: router and neighbour discovery, redirect (RFC 4861). */
  public static boolean neighbourDiscovery(int type) {
    return type >= ROUTER_SOLICITATION && type <= REDIRECT;
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

  /** Over the whole message and the pseudo-header of {@code l3}. */
  public static void computeChecksum(long l3, long l4, int bytes) {
    checksum(l4, 0);
    int pseudoHeader = Checksum.pseudoHeaderV6(l3, IpProtocol.ICMPV6, bytes);
    checksum(l4, Checksum.complement(Checksum.fold((long) Checksum.sum(l4, bytes) + pseudoHeader)));
  }

  /** Applies {@code delta} of addresses and of the message's own words. */
  public static void updateChecksum(long l4, int delta) {
    checksum(l4, Checksum.update(checksum(l4), delta));
  }

  /** {@code icmpv6 type 128 code 0}. */
  public static String print(long l4) {
    return "icmpv6 type %d code %d".formatted(type(l4), code(l4));
  }
}
