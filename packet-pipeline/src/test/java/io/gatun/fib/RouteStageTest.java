package io.gatun.fib;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.Frame;
import io.gatun.packet.Ipv6;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Vlan;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.OwnAddresses;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Packet in, verdict and exact bytes out. */
class RouteStageTest {
  private static final long OURS = 0x02_AA_00_00_00_01L;
  private static final long NEXT = 0x02_BB_00_00_00_02L;

  private final Fib fib = new Fib(512, Runnable::run);
  private final PacketVector v = new PacketVector();
  private final Answers answers = new Answers();
  private int forward;
  private int flags;
  private long flow;

  @BeforeEach
  void routes() {
    forward = fib.adjacencies().add(new Adjacency.Forward(7, OURS, NEXT, 1500));
    put("10.0.0.0", 8, forward);
    put("2001:db8::", 32, forward);
    put("10.1.0.0", 16, fib.adjacencies().add(new Adjacency.Blackhole()));
    put("10.2.0.0", 16, fib.adjacencies().add(new Adjacency.Unresolved(7, OURS, 1500)));
    put("10.3.0.1", 32, fib.adjacencies().add(new Adjacency.Host(9, OURS, NEXT)));
  }

  @AfterEach
  void free() {
    fib.close();
  }

  @Test
  void shouldForwardIpv4() {
    expectSent(
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").tcp(40000, 80).payload(10),
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").tcp(40000, 80).payload(10).ttl(63));
  }

  @Test
  void shouldForwardEveryTtlWithRightChecksum() {
    for (int ttl = 2; ttl < 256; ttl++) {
      expectSent(
          PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
              .udp(ttl, 53)
              .ttl(ttl)
              .identification(ttl * 251),
          PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
              .udp(ttl, 53)
              .ttl(ttl - 1)
              .identification(ttl * 251));
    }
  }

  @Test
  void shouldForwardIpv6() {
    expectSent(
        PacketBuilder.ipv6("2001:db8::1", "2001:db8::2").udp(40000, 53).payload(10),
        PacketBuilder.ipv6("2001:db8::1", "2001:db8::2").udp(40000, 53).payload(10).ttl(63));
  }

  @Test
  void shouldTakeVlanTagsOff() {
    expectSent(
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").vlan(5).vlan(6).udp(1, 2),
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).ttl(63));
  }

  @Test
  void shouldHandOwnAddressToHostWithTtlKept() {
    PacketBuilder in = PacketBuilder.ipv4("10.0.0.1", "10.3.0.1").udp(1, 2).ttl(1);
    byte[] expected = in.macs(OURS, NEXT).bytes();
    assertArrayEquals(expected, run(in.bytes(), Verdict.CONTINUE, 0));
    assertEquals(Verdict.HOST, v.verdict[0]);
    assertEquals(9, v.outPort[0]);
  }

  @Test
  void shouldRouteAnswersWithTtlKept() {
    PacketBuilder in = PacketBuilder.ipv4("10.96.0.1", "10.0.0.2").tcp(80, 40000).ttl(64);
    byte[] expected = in.macs(OURS, NEXT).bytes();
    assertArrayEquals(expected, run(in.bytes(), Verdict.ANSWER, 0));
    assertEquals(Verdict.ANSWER, v.verdict[0]);
    assertEquals(7, v.outPort[0]);
  }

  @Test
  void shouldDropForNamedReasons() {
    expectDropped(DropReason.NO_ROUTE, PacketBuilder.ipv6("::1:1", "2001:db9::1").udp(1, 2));
    expectDropped(DropReason.BLACKHOLE_ROUTE, PacketBuilder.ipv4("10.0.0.1", "10.1.0.1").udp(1, 2));
    expectDropped(DropReason.NO_NEIGHBOUR, PacketBuilder.ipv4("10.0.0.1", "10.2.0.1").udp(1, 2));
  }

  /** Whatever the frame's own addresses say: a default route is no way for them. */
  @Test
  void shouldForwardNothingToGroupsAndLinks() {
    put("0.0.0.0", 0, forward);
    put("::", 0, forward);
    for (String group : new String[] {"224.0.0.1", "239.255.255.255", "255.255.255.255"}) {
      expectDropped(DropReason.BAD_IP_ADDRESS, PacketBuilder.ipv4("10.0.0.1", group).udp(1, 2));
    }
    for (String group : new String[] {"ff02::1", "ff0e::1", "fe80::1", "febf::1"}) {
      expectDropped(DropReason.BAD_IP_ADDRESS, PacketBuilder.ipv6("fd00::1", group).udp(1, 2));
    }
    expectSent(
        PacketBuilder.ipv4("10.0.0.1", "240.0.0.1").udp(1, 2),
        PacketBuilder.ipv4("10.0.0.1", "240.0.0.1").udp(1, 2).ttl(63));
  }

  @Test
  void shouldLetCutWhatMayBeCut() {
    PacketBuilder in = PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload(1473);
    expectSent(
        in.dontFragment(false),
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
            .udp(1, 2)
            .payload(1473)
            .dontFragment(false)
            .ttl(63));
    assertEquals(PacketVector.FRAGMENT, v.flags[0]);
    assertEquals(1500, v.mtu[0]);
  }

  @Test
  void shouldAnswerThatNothingLeadsThere() {
    put("10.6.0.0", 16, fib.adjacencies().add(new Adjacency.Unreachable()));
    put("10.7.0.0", 16, fib.adjacencies().add(new Adjacency.Prohibited()));
    // What the kernel answers: network, host unreachable, administratively prohibited.
    expectUnreachable("11.0.0.1", DropReason.NO_ROUTE, 0);
    expectUnreachable("10.6.0.1", DropReason.UNREACHABLE_ROUTE, 1);
    expectUnreachable("10.7.0.1", DropReason.PROHIBITED_ROUTE, 13);
  }

  private void expectUnreachable(String destination, DropReason reason, int code) {
    PacketBuilder in = PacketBuilder.ipv4("10.0.0.1", destination).udp(1, 2);
    PacketBuilder answer =
        PacketBuilder.ipv4("192.0.0.8", "10.0.0.1").icmpError(3, code, 0, in.packet());
    expectAnswered(in, answer.tos(0xC0).identification(0));
    assertEquals(reason.code(), v.dropReason[0]);
  }

  @Test
  void shouldDropAnswersThatNothingLeadsTo() {
    byte[] in = PacketBuilder.ipv4("10.96.0.1", "11.0.0.2").tcp(80, 40000).bytes();
    run(in, Verdict.ANSWER, 0);
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(DropReason.NO_ROUTE.code(), v.dropReason[0]);
  }

  @Test
  void shouldAnswerTimeExceeded() {
    for (int ttl = 0; ttl < 2; ttl++) {
      PacketBuilder in = PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).ttl(ttl);
      PacketBuilder answer =
          PacketBuilder.ipv4("192.0.0.8", "10.0.0.1").icmpError(11, 0, 0, in.packet());
      expectAnswered(in, answer.tos(0xC0).identification(0));
    }
  }

  @Test
  void shouldAnswerFragmentationNeededWithMtu() {
    PacketBuilder in = PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload(1473);
    byte[] quote = Arrays.copyOf(in.packet(), 576 - 28);
    PacketBuilder answer = PacketBuilder.ipv4("192.0.0.8", "10.0.0.1").icmpError(3, 4, 1500, quote);
    expectAnswered(in, answer.tos(0xC0).identification(0));
  }

  @Test
  void shouldAnswerIpv6FromOwnAddress() {
    answers.ownAddresses(new OwnAddresses(0, 0x20010DB8_00000000L, 0x99));
    PacketBuilder in = PacketBuilder.ipv6("2001:db8::1", "2001:db8::2").udp(1, 2).ttl(1);
    expectAnswered(
        in, PacketBuilder.ipv6("2001:db8::99", "2001:db8::1").icmpError(3, 0, 0, in.packet()));
    PacketBuilder big = PacketBuilder.ipv6("2001:db8::1", "2001:db8::2").udp(1, 2).payload(1453);
    expectAnswered(
        big,
        PacketBuilder.ipv6("2001:db8::99", "2001:db8::1")
            .icmpError(2, 0, 1500, Arrays.copyOf(big.packet(), 1280 - 48)));
  }

  @Test
  void shouldDropTranslatedPacketWithoutAnswer() {
    flags = PacketVector.TRANSLATED;
    expectDropped(
        DropReason.TTL_EXCEEDED, PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).ttl(1));
  }

  @Test
  void shouldSendWhatJustFits() {
    expectSent(
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload(1472),
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload(1472).ttl(63));
  }

  @Test
  void shouldMeasureSuperFramesByTheirSegments() {
    byte[] frame = PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).payload(9000).bytes();
    run(frame, Verdict.CONTINUE, 1460);
    assertEquals(Verdict.SEND, v.verdict[0]);
    run(frame, Verdict.CONTINUE, 1461);
    assertEquals(Verdict.ANSWER, v.verdict[0]);
  }

  @Test
  void shouldFollowReplacedNeighbour() {
    byte[] in = PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).bytes();
    fib.adjacencies().replace(forward, new Adjacency.Unresolved(7, OURS, 1500));
    run(in, Verdict.CONTINUE, 0);
    assertEquals(DropReason.NO_NEIGHBOUR.code(), v.dropReason[0]);
    fib.adjacencies().replace(forward, new Adjacency.Forward(8, OURS, NEXT, 1500));
    run(in, Verdict.CONTINUE, 0);
    assertEquals(8, v.outPort[0]);
  }

  @Test
  void shouldNameTheTunnelAndWriteTheInnerFrame() {
    put("10.5.0.0", 16, fib.adjacencies().add(new Adjacency.Tunnel(3, OURS, NEXT, 1450)));
    PacketBuilder packet = PacketBuilder.ipv4("10.0.0.1", "10.5.0.2").udp(1, 2);
    byte[] inner = run(packet.bytes(), Verdict.CONTINUE, 0);
    assertArrayEquals(packet.macs(OURS, NEXT).ttl(63).bytes(), inner);
    assertEquals(Verdict.SEND, v.verdict[0]);
    assertEquals(PacketVector.TUNNEL, v.flags[0] & PacketVector.TUNNEL);
    assertEquals(3, v.tunnel[0]);
    byte[] large = PacketBuilder.ipv4("10.0.0.1", "10.5.0.2").udp(1, 2).payload(1423).bytes();
    run(large, Verdict.CONTINUE, 0);
    assertEquals(DropReason.TOO_BIG.code(), v.dropReason[0], "1,451 bytes with its headers");
  }

  @Test
  void shouldSpreadFlowsOverTheMembersByTheirWeight() {
    int[] members = members(4);
    put("10.4.0.0", 16, group(members[0], members[0], members[1], members[2], members[3]));
    int[] flows = new int[20];
    for (int i = 0; i < 10_000; i++) {
      flows[wayOf(i * 0x9E37_79B9)]++;
    }
    assertEquals(4000, flows[10], 200);
    for (int k = 1; k < 4; k++) {
      assertEquals(2000, flows[10 + k], 200);
    }
  }

  @Test
  void shouldMoveOnlyTheFlowsOfAMemberThatGoes() {
    for (int count = 2; count <= Adjacency.Group.MAX_MEMBERS; count++) {
      int[] members = members(count);
      for (int gone = 0; gone < count; gone++) {
        put("10.4.0.0", 16, group(members));
        int[] before = waysOf(400);
        int lost = members[gone];
        put("10.4.0.0", 16, group(Arrays.stream(members).filter(m -> m != lost).toArray()));
        int[] after = waysOf(400);
        for (int i = 0; i < before.length; i++) {
          if (before[i] != 10 + gone) {
            assertEquals(before[i], after[i], "a flow moved that its way did not leave");
          }
        }
      }
    }
  }

  private int[] members(int count) {
    return IntStream.range(0, count)
        .map(k -> fib.adjacencies().add(new Adjacency.Forward(10 + k, OURS, NEXT, 1500)))
        .toArray();
  }

  private int group(int... members) {
    return fib.adjacencies().add(new Adjacency.Group(Arrays.stream(members).boxed().toList()));
  }

  private int[] waysOf(int flows) {
    return IntStream.range(0, flows).map(i -> wayOf(i * 0x1234_5677)).toArray();
  }

  private int wayOf(int hash) {
    v.hash[0] = hash;
    run(PacketBuilder.ipv4("10.0.0.1", "10.4.0.2").udp(1, 2).bytes(), Verdict.CONTINUE, 0);
    return v.outPort[0];
  }

  @Test
  void shouldRememberTheWayOfAFlowUntilARouteChanges() {
    byte[] in = PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).bytes();
    byte[] six = PacketBuilder.ipv6("2001:db8::1", "2001:db8::2").udp(1, 2).bytes();
    for (byte[] packet : List.of(in, six)) {
      try (NativeArea entry = NativeArea.map("flow entry", 64)) {
        flow = entry.address();
        run(packet, Verdict.CONTINUE, 0);
        assertEquals(7, v.outPort[0]);
        int other = fib.adjacencies().add(new Adjacency.Forward(8, OURS, NEXT, 1500));
        Memory.putLong(flow + WayOut.OFFSET, WayOut.word(fib.generation(), other));
        run(packet, Verdict.CONTINUE, 0);
        assertEquals(8, v.outPort[0], "the flow knows better");
        fib.adjacencies().replace(other, new Adjacency.Forward(9, OURS, NEXT, 1500));
        run(packet, Verdict.CONTINUE, 0);
        assertEquals(9, v.outPort[0], "and sees what its adjacency became");
        run(packet, Verdict.ANSWER, 0);
        assertEquals(7, v.outPort[0], "an answer goes the other way");
        flags = PacketVector.ICMP_ERROR;
        run(packet, Verdict.CONTINUE, 0);
        assertEquals(7, v.outPort[0], "and so does an error about the flow");
        flags = 0;
        put("10.9.0.0", 16, other);
        run(packet, Verdict.CONTINUE, 0);
        assertEquals(7, v.outPort[0], "routes have changed: looked up again");
        fib.remove(InetAddress.ofLiteral("10.9.0.0"), 16);
      }
    }
  }

  private void put(String prefix, int length, int adjacency) {
    fib.put(InetAddress.ofLiteral(prefix), length, adjacency);
  }

  private void expectSent(PacketBuilder in, PacketBuilder out) {
    assertArrayEquals(out.macs(OURS, NEXT).bytes(), run(in.bytes(), Verdict.CONTINUE, 0));
    assertEquals(Verdict.SEND, v.verdict[0]);
    assertEquals(7, v.outPort[0]);
  }

  private void expectAnswered(PacketBuilder in, PacketBuilder out) {
    assertArrayEquals(out.macs(OURS, NEXT).bytes(), run(in.bytes(), Verdict.CONTINUE, 0));
    assertEquals(Verdict.ANSWER, v.verdict[0]);
    assertEquals(7, v.outPort[0]);
  }

  private void expectDropped(DropReason reason, PacketBuilder in) {
    run(in.bytes(), Verdict.CONTINUE, 0);
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(reason.code(), v.dropReason[0]);
  }

  private byte[] run(byte[] bytes, int verdict, int segmentSize) {
    try (Frame frame = Frame.of(bytes, 128)) {
      v.size = 0;
      v.append(frame.start(), frame.address(), frame.length(), 1);
      int l3 = Vlan.payload(frame.address(), frame.length());
      boolean six = bytes[l3] >>> 4 == 6;
      v.l3[0] = l3;
      v.l4[0] = l3 + (six ? Ipv6.HEADER : 20);
      v.l4Length[0] = bytes.length - v.l4[0];
      v.protocol[0] = six ? bytes[l3 + 6] : bytes[l3 + 9];

      v.flags[0] = flags | (six ? PacketVector.IPV6 : 0);
      v.segmentSize[0] = segmentSize;
      v.verdict[0] = verdict;
      v.flow[0] = flow;
      new RouteStage(fib, answers).process(v);
      return Frame.bytes(v.address[0], v.length[0]);
    }
  }
}
