package io.gatun.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.packet.Frame;
import io.gatun.packet.Icmp;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import java.util.Arrays;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

class AnswersTest {
  private static final String CLIENT = "10.0.0.1";
  private static final String SERVICE = "10.96.0.1";
  private static final String CLIENT6 = "2001:db8::1";
  private static final String SERVICE6 = "2001:db8:96::1";
  private static final String ROUTER = "10.0.0.254";
  private static final String ROUTER6 = "2001:db8::fe";
  private static final int HEADROOM = 96;

  private long now;
  private final Answers answers = new Answers(() -> now);

  {
    answers.ownAddresses(new OwnAddresses(0x0A00_00FE, 0x2001_0db8L << 32, 0xFE));
  }

  private static PacketBuilder back(String from, String to) {
    return PacketBuilder.ip(from, to).macs(0x02_00_00_00_00_02L, 0x02_00_00_00_00_01L);
  }

  private static PacketBuilder error4(String from, int type, int code, int rest, byte[] quote) {
    return back(from, CLIENT).tos(0xC0).identification(0).icmpError(type, code, rest, quote);
  }

  private static PacketBuilder error6(String from, int type, int code, int rest, byte[] quote) {
    return back(from, CLIENT6).icmpError(type, code, rest, quote);
  }

  /** The sender sent it in one piece, but what was too big is a segment. */
  @Test
  void shouldQuoteTheFirstSegmentOfASuperFrame() {
    for (boolean six : new boolean[] {false, true}) {
      PacketBuilder whole = PacketBuilder.ip(six ? CLIENT6 : CLIENT, six ? SERVICE6 : SERVICE);
      whole.tcp(4000, 80).flags(Tcp.ACK | Tcp.PSH).payload(20_000).partialChecksum();
      PacketBuilder first = PacketBuilder.ip(six ? CLIENT6 : CLIENT, six ? SERVICE6 : SERVICE);
      first.tcp(4000, 80).flags(Tcp.ACK).payload(1400);
      try (Frame frame = Frame.of(whole.bytes(), HEADROOM);
          Frame expected = Frame.of(first.bytes(), HEADROOM)) {
        PacketVector v = new PacketVector();
        v.append(frame.start(), frame.address(), frame.length(), 0);
        v.flags[0] = PacketVector.PARTIAL_CHECKSUM;
        v.csumStart[0] = six ? 54 : 34;
        v.csumOffset[0] = Tcp.CHECKSUM;
        v.segmentSize[0] = 1400;
        v.append(expected.start(), expected.address(), expected.length(), 0);
        new ParseStage().process(v);
        answers.tooBig(v, 0, 1280);
        answers.tooBig(v, 1, 1280);
        assertEquals(Verdict.ANSWER, v.verdict[0]);
        assertEquals(
            Frame.hex(Frame.bytes(v.address[1], v.length[1])),
            Frame.hex(Frame.bytes(v.address[0], v.length[0])));
      }
    }
  }

  @Test
  void shouldRejectWithPortUnreachableFromTheServiceAddress() {
    PacketBuilder udp = PacketBuilder.ipv4(CLIENT, SERVICE).udp(4000, 53).payload(9);
    assertAnswer(udp, error4(SERVICE, 3, 3, 0, udp.packet()), this::reject);
    PacketBuilder tcp = PacketBuilder.ipv6(CLIENT6, SERVICE6).tcp(4000, 80).flags(Tcp.SYN);
    assertAnswer(tcp, error6(SERVICE6, 1, 4, 0, tcp.packet()), this::reject);
  }

  @Test
  void shouldReportFromItsOwnAddress() {
    PacketBuilder v4 = PacketBuilder.ipv4(CLIENT, SERVICE).udp(4000, 53).ttl(1).options(8);
    PacketBuilder v6 = PacketBuilder.ipv6(CLIENT6, SERVICE6).udp(4000, 53).ttl(1);
    assertAnswer(v4, error4(ROUTER, 11, 0, 0, v4.packet()), answers::timeExceeded);
    assertAnswer(v6, error6(ROUTER6, 3, 0, 0, v6.packet()), answers::timeExceeded);
    assertAnswer(
        v4,
        error4(ROUTER, 3, 0, 0, v4.packet()),
        (v, i) -> answers.noRoute(v, i, DropReason.NO_ROUTE));
    assertAnswer(
        v6,
        error6(ROUTER6, 1, 3, 0, v6.packet()),
        (v, i) -> answers.hostUnreachable(v, i, DropReason.NO_NEIGHBOUR));
    assertAnswer(
        v6,
        error6(ROUTER6, 1, 1, 0, v6.packet()),
        (v, i) -> answers.prohibited(v, i, DropReason.BLACKHOLE_ROUTE));
  }

  @Test
  void shouldQuoteNoMoreThanTheSmallestReassembly() {
    PacketBuilder v4 = PacketBuilder.ipv4(CLIENT, SERVICE).tcp(4000, 80).payload(1460);
    PacketBuilder v6 = PacketBuilder.ipv6(CLIENT6, SERVICE6).tcp(4000, 80).payload(1440);
    byte[] quote4 = Arrays.copyOf(v4.packet(), 576 - 28);
    byte[] quote6 = Arrays.copyOf(v6.packet(), 1280 - 48);
    assertAnswer(v4, error4(ROUTER, 3, 4, 1450, quote4), (v, i) -> answers.tooBig(v, i, 1450));
    assertAnswer(v6, error6(ROUTER6, 2, 0, 1450, quote6), (v, i) -> answers.tooBig(v, i, 1450));
  }

  @Test
  void shouldKeepVlanTags() {
    PacketBuilder tagged = PacketBuilder.ipv4(CLIENT, SERVICE).vlan(5).vlan(6).udp(4000, 53);
    assertAnswer(tagged, error4(SERVICE, 3, 3, 0, tagged.packet()).vlan(5).vlan(6), this::reject);
  }

  @Test
  void shouldCompleteThePartialChecksumThatItQuotes() {
    PacketBuilder whole = PacketBuilder.ipv4(CLIENT, SERVICE).tcp(4000, 80);
    byte[] quote = whole.packet();
    assertAnswer(whole.partialChecksum(), error4(ROUTER, 11, 0, 0, quote), answers::timeExceeded);
  }

  @Test
  void shouldResetWithTheNumbersOfRfc9293() {
    int window = 0;
    PacketBuilder syn =
        PacketBuilder.ipv4(CLIENT, SERVICE).tcp(4000, 80).sequence(100).flags(Tcp.SYN);
    PacketBuilder refused = back(SERVICE, CLIENT).identification(0).tcp(80, 4000).window(window);
    assertAnswer(
        syn, refused.sequence(0).acknowledgment(101).flags(Tcp.RST | Tcp.ACK), this::reset);
    assertAnswer(
        syn.flags(Tcp.FIN).payload(10).options(4).tcpOptions(new byte[8]).partialChecksum(),
        refused.acknowledgment(111),
        this::reset);
    assertAnswer(
        PacketBuilder.ipv4(CLIENT, SERVICE).tcp(4000, 80).acknowledgment(777).payload(5),
        refused.sequence(777).acknowledgment(0).flags(Tcp.RST),
        this::reset);
    assertAnswer(
        PacketBuilder.ipv6(CLIENT6, SERVICE6)
            .extension(IpProtocol.DESTINATION_OPTIONS, 1)
            .tcp(4000, 80)
            .acknowledgment(777)
            .payload(5),
        back(SERVICE6, CLIENT6).tcp(80, 4000).window(0).sequence(777).flags(Tcp.RST),
        this::reset);
  }

  @Test
  void shouldReplyToEcho() {
    assertAnswer(
        PacketBuilder.ipv4(CLIENT, SERVICE).echo(5, 6).payload(56).ttl(9),
        back(SERVICE, CLIENT).icmp(Icmp.ECHO_REPLY, 0, 5 << 16 | 6).payload(56),
        answers::echoReply);
    assertAnswer(
        PacketBuilder.ipv6(CLIENT6, SERVICE6).echo(5, 6).payload(55).ttl(9),
        back(SERVICE6, CLIENT6).icmp(129, 0, 5 << 16 | 6).payload(55),
        answers::echoReply);
  }

  @Test
  void shouldNeverAnswerWhatMustNotBe() {
    byte[] quote = PacketBuilder.ipv4(CLIENT, SERVICE).udp(1, 2).packet();
    byte[] quote6 = PacketBuilder.ipv6(CLIENT6, SERVICE6).udp(1, 2).packet();
    assertDropped(PacketBuilder.ipv4(CLIENT, SERVICE).icmpError(3, 1, 0, quote));
    assertDropped(PacketBuilder.ipv6(CLIENT6, SERVICE6).icmpError(1, 0, 0, quote6));
    assertDropped(PacketBuilder.ipv6(CLIENT6, SERVICE6).icmp(137, 0, 0).payload(32));
    assertDropped(PacketBuilder.ipv4(CLIENT, SERVICE).udp(1, 2).payload(8).fragment(8, false));
    assertDropped(PacketBuilder.ipv6(CLIENT6, SERVICE6).udp(1, 2).payload(8).fragment(8, true));
    assertDropped(PacketBuilder.ipv4(CLIENT, "224.0.0.5").udp(1, 2));
    assertDropped(PacketBuilder.ipv4(CLIENT, "255.255.255.255").udp(1, 2));
    assertDropped(PacketBuilder.ipv6(CLIENT6, "ff02::1").udp(1, 2));
    assertDropped(PacketBuilder.ipv6("::", "ff02::1").icmp(135, 0, 0));
    assertDropped(PacketBuilder.ipv4(CLIENT, SERVICE).udp(1, 2).macs(2, 0xFFFF_FFFF_FFFFL));
    assertEquals(
        Verdict.DROP,
        outcome(PacketBuilder.ipv4(CLIENT, SERVICE).tcp(1, 2).flags(Tcp.RST), this::reset));
    assertEquals(Verdict.DROP, outcome(PacketBuilder.ipv4(CLIENT, SERVICE).udp(1, 2), this::reset));
    assertEquals(
        Verdict.DROP,
        outcome(PacketBuilder.ipv4(CLIENT, SERVICE).tcp(1, 2).checksum(7), this::reset));
    assertEquals(
        Verdict.DROP,
        outcome(PacketBuilder.ipv4(CLIENT, SERVICE).udp(1, 2).checksum(7), this::reject));
    assertEquals(
        Verdict.CONTINUE,
        outcome(PacketBuilder.ipv4(CLIENT, SERVICE).udp(1, 2), answers::echoReply));
  }

  private void assertDropped(PacketBuilder packet) {
    assertEquals(Verdict.DROP, outcome(packet, this::reject));
    assertEquals(Verdict.DROP, outcome(packet, answers::timeExceeded));
  }

  @Test
  void shouldDropWithoutHeadroomAndStayInsideTheFrame() {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(PacketBuilder.ipv4(CLIENT, SERVICE).udp(1, 2).bytes(), 51)) {
      run(v, frame, this::reject);
      assertEquals(Verdict.DROP, v.verdict[0]);
    }
  }

  @Test
  void shouldLimitItsRate() {
    PacketBuilder udp = PacketBuilder.ipv4(CLIENT, SERVICE).udp(1, 2);
    int answered = 0;
    for (int n = 0; n < 400; n++) {
      answered += outcome(udp, this::reject) == Verdict.ANSWER ? 1 : 0;
    }
    assertEquals(256, answered);
    assertEquals(Verdict.ANSWER, outcome(udp, (v, i) -> answers.tooBig(v, i, 1400)));
    now += 1_000_000;
    assertEquals(Verdict.ANSWER, outcome(udp, this::reject));
    assertEquals(Verdict.DROP, outcome(udp, this::reject));
  }

  @Test
  @SuppressWarnings("ConstantOverflow") // that is the point
  void bucketShouldFillOnlyToItsBurst() {
    TokenBucket bucket = new TokenBucket(1000, 2, Long.MAX_VALUE - 5);
    assertTrue(bucket.take(Long.MAX_VALUE - 5));
    assertTrue(bucket.take(Long.MAX_VALUE - 5));
    assertFalse(bucket.take(Long.MAX_VALUE - 9));
    long later = Long.MAX_VALUE - 5 + 3_600_000_000_000L; // the clock may wrap
    assertTrue(bucket.take(later));
    assertTrue(bucket.take(later));
    assertFalse(bucket.take(later));
  }

  private void reject(PacketVector v, int i) {
    answers.portUnreachable(v, i, DropReason.NO_ENDPOINTS);
  }

  private void reset(PacketVector v, int i) {
    answers.reset(v, i, DropReason.NO_FLOW);
  }

  private static void assertAnswer(
      PacketBuilder packet, PacketBuilder expected, BiConsumer<PacketVector, Integer> answer) {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(packet.bytes(), HEADROOM)) {
      run(v, frame, answer);
      assertEquals(Verdict.ANSWER, v.verdict[0]);
      assertEquals(3, v.outPort[0]);
      assertEquals(Frame.hex(expected.bytes()), Frame.hex(Frame.bytes(v.address[0], v.length[0])));
      int[] columns = columns(v);
      v.size = 0;
      v.append(v.frame[0], v.address[0], v.length[0], 3);
      new ParseStage().process(v);
      assertEquals(Verdict.CONTINUE, v.verdict[0], "parse accepts our answers");
      v.flags[0] &= ~(PacketVector.TCP_END | PacketVector.TCP_SYN);
      assertEquals(Arrays.toString(columns(v)), Arrays.toString(columns), "columns as parsed");
    }
  }

  private static int[] columns(PacketVector v) {
    return new int[] {
      v.length[0], v.l3[0], v.l4[0], v.l4Length[0], v.protocol[0], v.ports[0], v.flags[0]
    };
  }

  private static int outcome(PacketBuilder packet, BiConsumer<PacketVector, Integer> answer) {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(packet.bytes(), HEADROOM)) {
      run(v, frame, answer);
      return v.verdict[0];
    }
  }

  private static void run(PacketVector v, Frame frame, BiConsumer<PacketVector, Integer> answer) {
    v.append(frame.start(), frame.address(), frame.length(), 3);
    new ParseStage(false, false, false, true).process(v);
    assertEquals(Verdict.CONTINUE, v.verdict[0]);
    answer.accept(v, 0);
  }
}
