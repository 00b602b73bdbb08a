package io.gatun.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.gatun.packet.Frame;
import io.gatun.packet.Icmp;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Sctp;
import io.gatun.packet.SctpFrames;
import io.gatun.packet.Tcp;
import io.gatun.packet.Vlan;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ParseStageTest {
  private static final ParseStage PARSE = new ParseStage(false, true);
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String A6 = "2001:db8::1";
  private static final String B6 = "2001:db8::2";

  /** What parse is to find in a good packet. */
  record Found(
      String name,
      PacketBuilder packet,
      int l3,
      int l4,
      int protocol,
      int l4Length,
      int ports,
      int flags) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Found> good() {
    int v6 = PacketVector.IPV6;
    int ports = 40_000 << 16 | 80;
    return Stream.of(
        new Found("tcp", v4().tcp(40_000, 80).payload(7), 14, 34, 6, 27, ports, 0),
        new Found(
            "tcp syn, tagged",
            v4().vlan(7).tcp(40_000, 80).flags(Tcp.SYN),
            18,
            38,
            6,
            20,
            ports,
            PacketVector.TCP_SYN),
        new Found(
            "tcp syn ack, two tags",
            v4().tag(Vlan.SERVICE, 9).vlan(7).tcp(40_000, 80).flags(Tcp.SYN | Tcp.ACK),
            22,
            42,
            6,
            20,
            ports,
            0),
        new Found(
            "tcp rst, ip options, tcp options",
            v4().options(40).tcp(40_000, 80).tcpOptions(new byte[40]).flags(Tcp.RST),
            14,
            74,
            6,
            60,
            ports,
            PacketVector.TCP_END),
        new Found("udp, padded", v4().udp(40_000, 80).payload(1).pad(17), 14, 34, 17, 9, ports, 0),
        new Found("echo", v4().echo(77, 1).payload(8), 14, 34, 1, 16, 77 << 16 | 77, 0),
        new Found(
            "port unreachable",
            v4().icmpError(3, 3, 0, v4().udp(1, 2).packet()),
            14,
            34,
            1,
            36,
            0,
            PacketVector.ICMP_ERROR),
        new Found("sctp", v4().sctp(40_000, 80), 14, 34, 132, 12, ports, 0),
        new Found("other", v4().protocol(50).payload(3), 14, 34, 50, 3, 0, 0),
        new Found("other, empty", v4().protocol(50), 14, 34, 50, 0, 0, 0),
        new Found(
            "first fragment",
            v4().udp(40_000, 80).payload(16).fragment(0, true),
            14,
            34,
            17,
            24,
            ports,
            PacketVector.FIRST_FRAGMENT),
        new Found(
            "last fragment",
            v4().udp(40_000, 80).payload(3).fragment(24, false),
            14,
            34,
            17,
            3,
            0,
            PacketVector.LATER_FRAGMENT),
        new Found("tcp6", v6().tcp(40_000, 80), 14, 54, 6, 20, ports, v6),
        new Found("udp6, tagged", v6().vlan(1).udp(40_000, 80), 18, 58, 17, 8, ports, v6),
        new Found("echo6", v6().echo(9, 1), 14, 54, 58, 8, 9 << 16 | 9, v6),
        new Found(
            "too big",
            v6().icmpError(2, 0, 1280, v6().udp(1, 2).packet()),
            14,
            54,
            58,
            56,
            0,
            v6 | PacketVector.ICMP_ERROR),
        new Found(
            "four extension headers",
            v6().extension(IpProtocol.HOP_BY_HOP, 1)
                .extension(IpProtocol.DESTINATION_OPTIONS, 2)
                .extension(IpProtocol.ROUTING, 3)
                .extension(IpProtocol.AUTHENTICATION, 3)
                .udp(40_000, 80),
            14,
            54 + 8 + 16 + 24 + 24,
            17,
            8,
            ports,
            v6),
        new Found(
            "atomic fragment", v6().fragment(0, false).udp(40_000, 80), 14, 62, 17, 8, ports, v6),
        new Found(
            "first fragment 6",
            v6().fragment(0, true).udp(40_000, 80).payload(8),
            14,
            62,
            17,
            16,
            ports,
            v6 | PacketVector.FIRST_FRAGMENT),
        new Found(
            "later fragment 6",
            v6().fragment(1280, true).udp(40_000, 80).payload(8),
            14,
            62,
            17,
            8,
            0,
            v6 | PacketVector.LATER_FRAGMENT),
        new Found("nothing follows", v6().protocol(59), 14, 54, 59, 0, 0, v6));
  }

  private static PacketBuilder v4() {
    return PacketBuilder.ipv4(A, B);
  }

  private static PacketBuilder v6() {
    return PacketBuilder.ipv6(A6, B6);
  }

  @ParameterizedTest
  @MethodSource("good")
  void shouldFindHeadersOf(Found found) {
    PacketVector v = new PacketVector();
    byte[] bytes = found.packet().bytes();
    try (Frame frame = Frame.of(bytes)) {
      parse(v, frame, 0);
      assertEquals(Verdict.CONTINUE, v.verdict[0]);
      assertEquals(found.l3(), v.l3[0], "l3");
      assertEquals(found.l4(), v.l4[0], "l4");
      assertEquals(found.protocol(), v.protocol[0], "protocol");
      assertEquals(found.l4Length(), v.l4Length[0], "l4Length");
      assertEquals(found.ports(), v.ports[0], "ports");
      assertEquals(found.flags(), v.flags[0], "flags");
      assertEquals(found.l4() + found.l4Length(), v.length[0], "padding is cut");
      assertEquals(Frame.hex(bytes), Frame.hex(frame.bytes()), "parse only reads");
    }
  }

  @ParameterizedTest
  @MethodSource("good")
  void shouldDropEveryCutOf(Found found) {
    byte[] bytes = found.packet().bytes();
    int ip = found.l4() + found.l4Length();
    for (int n = 0; n < ip; n++) {
      assertNotEquals(
          "CONTINUE", outcome(java.util.Arrays.copyOf(bytes, n)), "cut to " + n + " bytes");
    }
    for (int n = ip; n <= bytes.length; n++) {
      assertEquals("CONTINUE", outcome(java.util.Arrays.copyOf(bytes, n)));
    }
  }

  /** One byte of a good packet changed, and what comes of it. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Lie(String name, byte[] frame, DropReason reason) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Lie> lies() {
    byte[] tcp = v4().tcp(1, 2).payload(4).bytes();
    byte[] udp = v4().udp(1, 2).payload(4).bytes();
    byte[] tcp6 = v6().tcp(1, 2).payload(4).bytes();
    byte[] udp6 = v6().udp(1, 2).payload(4).bytes();
    byte[] options6 = v6().extension(IpProtocol.DESTINATION_OPTIONS, 1).udp(1, 2).bytes();
    PacketBuilder long6 = v6().udp(1, 2);
    for (int n = 0; n < 9; n++) {
      long6.extension(IpProtocol.DESTINATION_OPTIONS, 1);
    }
    return Stream.of(
        new Lie("empty", new byte[0], DropReason.FRAME_TOO_SHORT),
        new Lie("arp", with(tcp, 13, 0x06), DropReason.UNKNOWN_ETHERTYPE),
        new Lie(
            "three tags",
            v4().vlan(1).vlan(2).vlan(3).udp(1, 2).bytes(),
            DropReason.UNKNOWN_ETHERTYPE),
        new Lie(
            "tag and no more",
            java.util.Arrays.copyOf(v4().vlan(1).bytes(), 17),
            DropReason.FRAME_TOO_SHORT),
        new Lie("version 6 in ipv4", with(tcp, 14, 0x65), DropReason.BAD_IP_HEADER),
        new Lie("header of 16", with(tcp, 14, 0x44), DropReason.BAD_IP_HEADER),
        new Lie("header beyond total", with(tcp, 14, 0x4F), DropReason.BAD_IP_HEADER),
        new Lie("total beyond frame", with(tcp, 17, 45), DropReason.BAD_IP_HEADER),
        new Lie("total below header", with(tcp, 17, 19), DropReason.BAD_IP_HEADER),
        new Lie("total 0", with(tcp, 17, 0), DropReason.BAD_IP_HEADER),
        new Lie("checksum", with(tcp, 24, tcp[24] ^ 1), DropReason.BAD_IP_CHECKSUM),
        new Lie("ttl without checksum", with(tcp, 22, 63), DropReason.BAD_IP_CHECKSUM),
        new Lie("tcp header of 16", with(tcp, 46, 0x40), DropReason.BAD_L4_HEADER),
        new Lie("tcp header beyond", with(tcp, 46, 0x70), DropReason.BAD_L4_HEADER),
        new Lie("udp length 7", with(udp, 39, 7), DropReason.BAD_L4_HEADER),
        new Lie("udp length 0", with(udp, 39, 0), DropReason.BAD_L4_HEADER),
        new Lie("udp length beyond", with(udp, 39, 13), DropReason.BAD_L4_HEADER),
        new Lie("icmp of 7", v4().protocol(1).payload(7).bytes(), DropReason.BAD_L4_HEADER),
        new Lie("icmp6 of 7", v6().protocol(58).payload(7).bytes(), DropReason.BAD_L4_HEADER),
        new Lie("sctp of 11", v4().protocol(132).payload(11).bytes(), DropReason.BAD_L4_HEADER),
        new Lie(
            "tiny first fragment (RFC 1858)",
            v4().protocol(6).payload(8).fragment(0, true).bytes(),
            DropReason.BAD_L4_HEADER),
        new Lie("version 4 in ipv6", with(tcp6, 14, 0x40), DropReason.BAD_IP_HEADER),
        new Lie("payload beyond", with(tcp6, 19, 25), DropReason.BAD_IP_HEADER),
        new Lie("payload 0 of udp", with(udp6, 19, 0), DropReason.BAD_L4_HEADER),
        new Lie("extension beyond", with(options6, 55, 2), DropReason.BAD_EXTENSION_HEADER),
        new Lie("extension cut by length", with(options6, 19, 7), DropReason.BAD_EXTENSION_HEADER),
        new Lie("too many extensions", long6.bytes(), DropReason.BAD_EXTENSION_HEADER),
        new Lie(
            "hop-by-hop second",
            v6().extension(IpProtocol.DESTINATION_OPTIONS, 1)
                .extension(IpProtocol.HOP_BY_HOP, 1)
                .udp(1, 2)
                .bytes(),
            DropReason.BAD_EXTENSION_HEADER),
        new Lie(
            "two fragment headers",
            v6().fragment(0, true).fragment(0, true).udp(1, 2).bytes(),
            DropReason.BAD_EXTENSION_HEADER),
        new Lie(
            "a fragment header behind an atomic one",
            v6().fragment(0, false).fragment(16, true).udp(1, 2).payload(8).bytes(),
            DropReason.BAD_EXTENSION_HEADER),
        address("224.0.0.1", B),
        address("127.0.0.1", B),
        address("0.0.0.0", B),
        address("255.255.255.255", B),
        address("240.0.0.1", B),
        address(A, "127.0.0.1"),
        address(A, "0.0.0.0"),
        address("ff02::1", B6),
        address("::1", B6),
        address("::", B6),
        new Lie("IPv4-mapped source", mapped(udp6), DropReason.BAD_IP_ADDRESS),
        address(A6, "::1"),
        address(A6, "::"));
  }

  /** Comes from ::ffff:…, which no InetAddress says. */
  private static byte[] mapped(byte[] frame) {
    byte[] changed = frame.clone();
    Arrays.fill(changed, 22, 32, (byte) 0);
    Arrays.fill(changed, 32, 34, (byte) 0xFF);
    return changed;
  }

  private static Lie address(String source, String destination) {
    return new Lie(
        source + " to " + destination,
        PacketBuilder.ip(source, destination).udp(1, 2).bytes(),
        DropReason.BAD_IP_ADDRESS);
  }

  private static byte[] with(byte[] frame, int index, int value) {
    byte[] changed = frame.clone();
    changed[index] = (byte) value;
    return changed;
  }

  @ParameterizedTest
  @MethodSource("lies")
  void shouldDrop(Lie lie) {
    assertEquals(lie.reason().name(), outcome(lie.frame()));
  }

  @Test
  void shouldLetGroupsAndDuplicateAddressDetectionPass() {
    assertEquals("CONTINUE", outcome(PacketBuilder.ip(A, "224.0.0.251").udp(1, 2).bytes()));
    assertEquals("CONTINUE", outcome(PacketBuilder.ip(A, "255.255.255.255").udp(1, 2).bytes()));
    assertEquals(
        "CONTINUE", outcome(PacketBuilder.ip("::", "ff02::1:ff00:1").icmp(135, 0, 0).bytes()));
  }

  @Test
  void shouldSeePartialChecksumsOnlyWherePortsLeaveThem() {
    for (PacketBuilder packet :
        List.of(v4().tcp(1, 2), v4().udp(1, 2).payload(9), v6().tcp(1, 2), v6().udp(1, 2))) {
      byte[] whole = packet.bytes();
      byte[] partial = packet.partialChecksum().bytes();
      assertEquals(0, partialOffset(whole, 1));
      assertEquals(0, partialOffset(partial, 0));
      assertEquals(0, partialOffset(partial, 9));
      assertEquals(
          packet.bytes()[partial[12] == 8 ? 23 : 20] == 6 ? 16 : 6, partialOffset(partial, 1));
    }
    assertEquals(0, partialOffset(v4().udp(1, 2).checksum(0).bytes(), 1));
    assertEquals(
        0, partialOffset(v4().udp(1, 2).payload(8).partialChecksum().fragment(0, true).bytes(), 1));
    assertEquals(0, partialOffset(v4().icmp(Icmp.ECHO, 0, 0).partialChecksum().bytes(), 1));
  }

  /**
   * A stack that leaves SCTP's CRC32c to its device writes 0; here it is done, for nobody else
   * will.
   */
  @Test
  void shouldCompleteSctpWhereStacksLeaveItToTheDevice() {
    for (String frame : SctpFrames.INITS) {
      byte[] whole = Frame.unhex(frame);
      byte[] undone = whole.clone();
      int checksum = (whole[12] == 8 ? 34 : 54) + Sctp.CHECKSUM;
      Arrays.fill(undone, checksum, checksum + 4, (byte) 0);
      byte[] wrong = with(whole, checksum, whole[checksum] ^ 1);
      assertArrayEquals(whole, parsed(undone, 1), "left to the device");
      assertArrayEquals(whole, parsed(whole, 1), "done");
      assertArrayEquals(wrong, parsed(wrong, 1), "damaged");
      assertArrayEquals(undone, parsed(undone, 0), "by a wire, where it is wrong");
      assertArrayEquals(undone, parsed(undone, 9), "by an unknown port");
    }
    byte[] first = v4().sctp(1, 2).payload(16).fragment(0, true).bytes();
    assertArrayEquals(first, parsed(first, 1), "it covers more than is here");
  }

  private static byte[] parsed(byte[] bytes, int port) {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(bytes)) {
      parse(v, frame, port);
      assertEquals(Verdict.CONTINUE, v.verdict[0]);
      assertEquals(0, v.flags[0] & PacketVector.PARTIAL_CHECKSUM);
      return Frame.bytes(frame.address(), bytes.length);
    }
  }

  private static int partialOffset(byte[] bytes, int port) {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(bytes)) {
      parse(v, frame, port);
      assertEquals(Verdict.CONTINUE, v.verdict[0]);
      assertEquals((v.flags[0] & PacketVector.PARTIAL_CHECKSUM) != 0, v.csumOffset[0] != 0);
      return v.csumOffset[0];
    }
  }

  @Test
  void shouldLeaveEndedPacketsAlone() {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(new byte[3])) {
      v.append(frame.start(), frame.address(), 3, 0);
      v.verdict[0] = Verdict.HOST;
      PARSE.process(v);
      assertEquals(Verdict.HOST, v.verdict[0]);
    }
  }

  private static String outcome(byte[] bytes) {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(bytes)) {
      parse(v, frame, 1);
      return v.verdict[0] == Verdict.CONTINUE ? "CONTINUE" : DropReason.of(v.dropReason[0]).name();
    }
  }

  private static void parse(PacketVector v, Frame frame, int port) {
    v.append(frame.start(), frame.address(), frame.length(), port);
    PARSE.process(v);
  }
}
