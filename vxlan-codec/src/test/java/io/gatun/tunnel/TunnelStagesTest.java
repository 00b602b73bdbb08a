package io.gatun.tunnel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.LiveAreas;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Frames in, frames out: encapsulation and decapsulation to the byte, and whatever else arrives.
 */
class TunnelStagesTest {
  private static final long SEED = Long.getLong("gatun.fuzz.seed", System.nanoTime());
  private static final int FUZZED = Integer.getInteger("gatun.fuzz.frames", 200_000);
  private static final int UPLINK = 1;
  private static final int POD = 2;
  private static final int HEADROOM = 256;
  private static final long VTEP_MAC = 0x0A_58_0A_F4_01_00L;
  private static final long OTHER_VTEP_MAC = 0x0A_58_0A_F4_02_00L;

  private final NativeArea area = NativeArea.map("frame", 4096);
  private final TunnelTable tunnels = new TunnelTable(4, Runnable::run);
  private final TunnelCounters counters = new TunnelCounters(4);
  private final EncapStage encap = new EncapStage(tunnels, counters, false);
  private final ParseStage parse = new ParseStage(false, true, true);
  private final DecapStage decap =
      new DecapStage(parse, new boolean[] {false, true, false}, tunnels, counters, false);
  private final PacketVector v = new PacketVector();

  {
    decap.vteps(
        List.of(
            new Vtep(address("192.168.0.2"), 8472, 1, VTEP_MAC),
            new Vtep(address("fd00:9::2"), 4789, 4096, VTEP_MAC)));
  }

  @AfterEach
  void close() {
    area.close();
    tunnels.close();
  }

  private static InetAddress address(String text) {
    return InetAddress.ofLiteral(text);
  }

  private static Tunnel tunnel(boolean six) {
    return new Tunnel(
        six ? 4096 : 1,
        address(six ? "fd00:9::3" : "192.168.0.3"),
        address(six ? "fd00:9::2" : "192.168.0.2"),
        six ? 4789 : 8472,
        UPLINK,
        0x02_00_00_00_00_01L,
        0x02_00_00_00_00_02L,
        0,
        false,
        1450);
  }

  private static PacketBuilder inner() {
    return PacketBuilder.ipv4("10.244.2.9", "10.244.1.7")
        .macs(OTHER_VTEP_MAC, VTEP_MAC)
        .tcp(40_000, 80)
        .flags(Tcp.SYN)
        .payload(5);
  }

  /** What {@code inner} looks like on the underlay. */
  private static PacketBuilder outer(byte[] vxlan, byte[] inner) {
    return PacketBuilder.ipv4("192.168.0.3", "192.168.0.2")
        .udp(50_000, 8472)
        .payload(payload(vxlan, inner));
  }

  private static final byte[] VNI_1 = HexFormat.of().parseHex("0800000000000100");

  private void arrive(byte[] frame, int port) {
    v.size = 0;
    long at = area.address() + HEADROOM;
    Memory.copyIn(frame, 0, at, frame.length);
    v.append(area.address(), at, frame.length, port);
    parse.process(v);
  }

  private byte[] packet() {
    byte[] bytes = new byte[v.length[0]];
    Memory.copyOut(v.address[0], bytes, 0, bytes.length);
    return bytes;
  }

  /** As the route stage leaves a packet for a tunnel. */
  private void encapsulate(byte[] frame, int number, int hash) {
    arrive(frame, POD);
    assertEquals(Verdict.CONTINUE, v.verdict[0]);
    v.flags[0] |= PacketVector.TUNNEL;
    v.tunnel[0] = number;
    v.hash[0] = hash;
    v.verdict[0] = Verdict.SEND;
    encap.process(v);
  }

  @Test
  void shouldPutTheOuterHeadersBeforeAFrame() {
    byte[] inner = inner().bytes();
    encapsulate(inner, tunnels.add(tunnel(false)), 0x1234_5678);
    byte[] expected =
        PacketBuilder.ipv4("192.168.0.3", "192.168.0.2")
            .dontFragment(false)
            .identification(1)
            .udp(0xC000 | (0x1234 ^ 0x5678) & 0x3FFF, 8472)
            .checksum(0)
            .payload(ByteBuffer.allocate(8 + inner.length).put(VNI_1).put(inner).array())
            .bytes();
    assertEquals(HexFormat.of().formatHex(expected), HexFormat.of().formatHex(packet()));
    assertEquals(UPLINK, v.outPort[0]);
    assertEquals(Verdict.SEND, v.verdict[0]);
  }

  @Test
  void shouldComputeTheOuterChecksumOverIpv6() {
    byte[] inner = inner().payload(7).bytes();
    encapsulate(inner, tunnels.add(tunnel(true)), 0);
    byte[] vxlan = HexFormat.of().parseHex("0800000000100000");
    byte[] expected =
        PacketBuilder.ipv6("fd00:9::3", "fd00:9::2")
            .udp(0xC000, 4789)
            .payload(ByteBuffer.allocate(8 + inner.length).put(vxlan).put(inner).array())
            .bytes();
    assertEquals(HexFormat.of().formatHex(expected), HexFormat.of().formatHex(packet()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTakeOffWhatItPutOn(boolean six) {
    byte[] inner = inner().bytes();
    encapsulate(inner, tunnels.add(tunnel(six)), 77);
    byte[] wire = packet();
    arrive(wire, UPLINK);
    decap.process(v);
    assertEquals(Verdict.CONTINUE, v.verdict[0]);
    assertArrayEquals(inner, packet());
    assertEquals(40_000 << 16 | 80, v.ports[0]);
    assertEquals(PacketVector.TCP_SYN | PacketVector.FROM_TUNNEL, v.flags[0]);
  }

  @Test
  void shouldCompleteTheChecksumThatAPodLeftUndone() {
    encapsulate(inner().partialChecksum().bytes(), tunnels.add(tunnel(false)), 0);
    arrive(packet(), UPLINK);
    decap.process(v);
    assertArrayEquals(inner().bytes(), packet());
  }

  @Test
  void shouldCountIdentificationsAndKeepDscpAndDontFragment() {
    Tunnel plain = tunnel(false);
    int number =
        tunnels.add(
            new Tunnel(1, plain.local(), plain.remote(), 8472, UPLINK, 1, 2, 0xB8, true, 1450));
    encapsulate(inner().tos(0x02).bytes(), number, 0);
    encapsulate(inner().tos(0x01).bytes(), number, 0);
    ByteBuffer wire = ByteBuffer.wrap(packet());
    assertEquals(0xB9, wire.get(15) & 0xFF);
    assertEquals(2, wire.getShort(18));
    assertEquals(0x4000, wire.getShort(20));
    arrive(packet(), UPLINK);
    assertEquals(Verdict.CONTINUE, v.verdict[0], "the outer header's checksum is right");
  }

  @Test
  void shouldLeadElsewhereAtOnceAndNowhereWhenGone() {
    int number = tunnels.add(tunnel(false));
    tunnels.replace(number, tunnel(true));
    encapsulate(inner().bytes(), number, 0);
    assertEquals(Template.BYTES_6 + inner().bytes().length, v.length[0]);
    tunnels.remove(number);
    encapsulate(inner().bytes(), number, 0);
    assertEquals(DropReason.NO_TUNNEL.code(), v.dropReason[0]);
    for (int i = 0; i < 4; i++) {
      tunnels.add(tunnel(false));
    }
    assertThrows(IllegalStateException.class, () -> tunnels.add(tunnel(false)));
  }

  @Test
  void shouldRefuseMissingHeadroom() {
    int number = tunnels.add(tunnel(false));
    arrive(inner().bytes(), POD);
    v.flags[0] |= PacketVector.TUNNEL;
    v.tunnel[0] = number;
    v.verdict[0] = Verdict.SEND;
    v.frame[0] = v.address[0] - Template.BYTES_4 - 23;
    encap.process(v);
    assertEquals(DropReason.UNSUPPORTED_OFFLOAD.code(), v.dropReason[0]);
  }

  /** RFC 6040, figure 4: inner, outer, what comes out; -1 for a drop. */
  @ParameterizedTest
  @CsvSource({
    "0, 0, 0", "0, 2, 0", "0, 1, 0", "0, 3, -1", "2, 0, 2", "2, 2, 2", "2, 1, 1", "2, 3, 3",
    "1, 0, 1", "1, 2, 1", "1, 1, 1", "1, 3, 3", "3, 0, 3", "3, 2, 3", "3, 1, 3", "3, 3, 3"
  })
  void shouldCarryCongestionMarks(int inner, int outer, int expected) {
    for (PacketBuilder packet :
        List.of(inner(), PacketBuilder.ipv6("fd00::1", "fd00::2").macs(1, VTEP_MAC).udp(1, 2))) {
      arrive(outer(VNI_1, packet.tos(inner).bytes()).tos(outer).bytes(), UPLINK);
      decap.process(v);
      if (expected < 0) {
        assertEquals(DropReason.CONGESTION_UNMARKABLE.code(), v.dropReason[0]);
      } else {
        assertEquals(Verdict.CONTINUE, v.verdict[0]);
        assertArrayEquals(packet.tos(expected).bytes(), packet());
      }
    }
  }

  @Test
  void shouldIgnoreReservedBitsAsTheRfcSays() {
    byte[] vxlan = HexFormat.of().parseHex("f8abcdef000001ff");
    arrive(outer(vxlan, inner().bytes()).checksum(0).bytes(), UPLINK);
    decap.process(v);
    assertArrayEquals(inner().bytes(), packet());
  }

  @Test
  void shouldDropForANamedReason() {
    byte[] inner = inner().bytes();
    expect(DropReason.UNKNOWN_VNI, outer(HexFormat.of().parseHex("0800000000000200"), inner));
    expect(DropReason.BAD_VXLAN, outer(HexFormat.of().parseHex("0000000000000100"), inner));
    expect(DropReason.BAD_VXLAN, outer(VNI_1, new byte[13]));
    expect(DropReason.BAD_VXLAN, outer(VNI_1, inner).checksum(0x1111));
    expect(DropReason.NESTED_TUNNEL, outer(VNI_1, toVtep(outer(VNI_1, inner))));
    byte[] cut = java.util.Arrays.copyOf(inner, 40);
    expect(DropReason.BAD_IP_HEADER, outer(VNI_1, cut));
    arrive(outer(VNI_1, inner).bytes(), POD);
    decap.process(v);
    assertEquals(DropReason.TUNNEL_FROM_POD.code(), v.dropReason[0]);
  }

  private static byte[] toVtep(PacketBuilder frame) {
    return frame.macs(OTHER_VTEP_MAC, VTEP_MAC).bytes();
  }

  private void expect(DropReason reason, PacketBuilder frame) {
    arrive(frame.bytes(), UPLINK);
    decap.process(v);
    assertEquals(Verdict.DROP, v.verdict[0], reason::label);
    assertEquals(reason.code(), v.dropReason[0], reason::label);
  }

  @Test
  void shouldLeaveToTheKernelWhatIsItsOwn() {
    byte[] toOther = inner().macs(OTHER_VTEP_MAC, 0xFFFF_FFFF_FFFFL).bytes();
    byte[] arp = inner().bytes();
    arp[12] = 0x08;
    arp[13] = 0x06;
    for (byte[] inner : List.of(toOther, arp)) {
      byte[] wire = outer(VNI_1, inner).bytes();
      arrive(wire, UPLINK);
      decap.process(v);
      assertEquals(Verdict.CONTINUE, v.verdict[0]);
      assertArrayEquals(wire, packet());
    }
    arrive(outer(VNI_1, inner().bytes()).fragment(0, true).bytes(), UPLINK);
    decap.process(v);
    assertEquals(Verdict.CONTINUE, v.verdict[0], "fragments are put together there");
  }

  /** Several VXLAN packets in one frame, so that the first inner length would be that of all. */
  @Test
  void shouldRefuseASuperFrameOfUdp() {
    byte[] frame = outer(VNI_1, inner().payload(600).bytes()).partialChecksum().bytes();
    Memory.copyIn(frame, 0, area.address() + HEADROOM, frame.length);
    v.append(area.address(), area.address() + HEADROOM, frame.length, UPLINK);
    v.flags[0] = PacketVector.PARTIAL_CHECKSUM;
    v.csumStart[0] = 34;
    v.csumOffset[0] = 6;
    v.segmentSize[0] = 100;
    parse.process(v);
    assertEquals(Verdict.CONTINUE, v.verdict[0]);
    decap.process(v);
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(DropReason.UNSUPPORTED_OFFLOAD.code(), v.dropReason[0]);
  }

  /** What a kernel's VXLAN device hands to a veth: one outer header over many segments. */
  private void arriveWhole(byte[] frame, int segmentSize) {
    v.size = 0;
    long at = area.address() + HEADROOM;
    Memory.copyIn(frame, 0, at, frame.length);
    v.append(area.address(), at, frame.length, UPLINK);
    v.flags[0] = PacketVector.PARTIAL_CHECKSUM;
    v.segmentSize[0] = segmentSize;
    v.csumStart[0] = 50 + 34; // of the inner TCP header
    v.csumOffset[0] = Tcp.CHECKSUM;
    parse.process(v);
    decap.process(v);
  }

  @Test
  void shouldBringWholeSegmentsOutOfATunnel() {
    byte[] inner = inner().flags(Tcp.ACK).payload(2900).partialChecksum().bytes();
    arriveWhole(outer(VNI_1, inner).bytes(), 1398);
    assertEquals(Verdict.CONTINUE, v.verdict[0]);
    assertEquals(HexFormat.of().formatHex(inner), HexFormat.of().formatHex(packet()));
    assertEquals(1398, v.segmentSize[0]);
    assertEquals(34, v.csumStart[0]);
    assertEquals(
        PacketVector.PARTIAL_CHECKSUM | PacketVector.FROM_TUNNEL,
        v.flags[0] & (PacketVector.PARTIAL_CHECKSUM | PacketVector.FROM_TUNNEL));
    assertEquals(0, v.flags[0] & PacketVector.INNER_OFFLOAD);
  }

  @Test
  void shouldDropWholeSegmentsThatNobodyBringsOut() {
    byte[] inner = inner().flags(Tcp.ACK).payload(2900).partialChecksum().bytes();
    byte[] others =
        PacketBuilder.ipv4("192.168.0.3", "192.168.0.9")
            .udp(50_000, 8472)
            .payload(ByteBuffer.allocate(8 + inner.length).put(VNI_1).put(inner).array())
            .bytes();
    arriveWhole(others, 1398);
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(DropReason.UNSUPPORTED_OFFLOAD.code(), v.dropReason[0]);
    arriveWhole(outer(VNI_1, inner).bytes(), 3000); // more than there is
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(DropReason.UNSUPPORTED_OFFLOAD.code(), v.dropReason[0]);
  }

  @Test
  void shouldNotTouchOthersTunnels() {
    byte[] passing =
        PacketBuilder.ipv4("192.168.0.3", "192.168.0.77").udp(50_000, 8472).payload(VNI_1).bytes();
    arrive(passing, UPLINK);
    decap.process(v);
    assertEquals(Verdict.CONTINUE, v.verdict[0]);
    assertArrayEquals(passing, packet());
  }

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void shouldTellNewConnectionsWhatFits(boolean six, boolean odd) {
    // MSS 1460, behind a no-operation where it is to stand at an odd place.
    byte[] options = HexFormat.of().parseHex(odd ? "01020405b4010101" : "020405b401010101");
    byte[] fitting =
        HexFormat.of()
            .parseHex(
                odd
                    ? six ? "010204056e010101" : "0102040582010101"
                    : six ? "0204056e01010101" : "0204058201010101");
    PacketBuilder syn = syn(six).tcpOptions(options);
    int number = tunnels.add(tunnel(false));
    EncapStage clamping = new EncapStage(tunnels, counters, true);
    for (PacketBuilder packet : List.of(syn, syn(six).tcpOptions(options).partialChecksum())) {
      arrive(packet.bytes(), POD);
      v.flags[0] |= PacketVector.TUNNEL;
      v.tunnel[0] = number;
      v.verdict[0] = Verdict.SEND;
      clamping.process(v);
      arrive(packet(), UPLINK);
      decap.process(v);
      assertArrayEquals(syn(six).tcpOptions(fitting).bytes(), packet());
    }
    // The other way, where the other end does not do it.
    DecapStage clampingToo =
        new DecapStage(parse, new boolean[] {false, true, false}, tunnels, counters, true);
    clampingToo.vteps(List.of(new Vtep(address("192.168.0.2"), 8472, 1, VTEP_MAC)));
    clampingToo.remotes(List.of(new Remote(address("192.168.0.3"), 1, number)));
    arrive(outer(VNI_1, syn.bytes()).bytes(), UPLINK);
    clampingToo.process(v);
    assertArrayEquals(syn(six).tcpOptions(fitting).bytes(), packet());
    assertEquals(1, counters.received(number));
    byte[] nonsense = HexFormat.of().parseHex("020305b4010101ff");
    arrive(outer(VNI_1, syn(six).tcpOptions(nonsense).bytes()).bytes(), UPLINK);
    clampingToo.process(v);
    assertArrayEquals(syn(six).tcpOptions(nonsense).bytes(), packet());
  }

  private static PacketBuilder syn(boolean six) {
    PacketBuilder ip =
        six
            ? PacketBuilder.ipv6("fd00:244::9", "fd00:244:1::7")
            : PacketBuilder.ipv4("10.244.2.9", "10.244.1.7");
    return ip.macs(OTHER_VTEP_MAC, VTEP_MAC).tcp(40_000, 80).flags(Tcp.SYN);
  }

  @Test
  void shouldNotSendBackWhatCameThroughATunnel() {
    int number = tunnels.add(tunnel(false));
    arrive(outer(VNI_1, inner().bytes()).bytes(), UPLINK);
    decap.process(v);
    v.flags[0] |= PacketVector.TUNNEL;
    v.tunnel[0] = number;
    v.verdict[0] = Verdict.SEND;
    encap.process(v);
    assertEquals(DropReason.TUNNEL_LOOP.code(), v.dropReason[0]);
  }

  /** Plain packets and all others, from several senders: neighbours in a vector change nothing. */
  @Test
  void shouldDoTheSameToAFrameAloneAndAmongOthers() {
    SplittableRandom random = new SplittableRandom(SEED);
    System.out.println("gatun.fuzz.seed=" + SEED);
    int first = tunnels.add(tunnel(false));
    int second = tunnels.add(tunnel(true));
    decap.remotes(
        List.of(
            new Remote(address("192.168.0.3"), 1, first),
            new Remote(address("192.168.0.4"), 1, second)));
    PacketBuilder six = PacketBuilder.ipv6("fd00::1", "fd00::2").macs(1, VTEP_MAC).udp(1, 2);
    byte[] nested = outer(VNI_1, inner().bytes()).macs(1, VTEP_MAC).bytes();
    List<byte[]> kinds =
        List.of(
            outer(VNI_1, inner().bytes()).checksum(0).bytes(),
            PacketBuilder.ipv4("192.168.0.4", "192.168.0.2")
                .udp(50_000, 8472)
                .checksum(0)
                .payload(payload(VNI_1, inner().payload(90).bytes()))
                .bytes(),
            outer(VNI_1, inner().bytes()).bytes(),
            outer(VNI_1, inner().tos(2).bytes()).checksum(0).tos(3).bytes(),
            outer(VNI_1, inner().bytes()).checksum(0).tos(3).bytes(),
            outer(VNI_1, six.bytes()).checksum(0).bytes(),
            outer(HexFormat.of().parseHex("0800000000000200"), inner().bytes()).checksum(0).bytes(),
            outer(VNI_1, nested).checksum(0).bytes(),
            outer(VNI_1, inner().macs(1, 2).bytes()).checksum(0).bytes(),
            PacketBuilder.ipv6("fd00:9::3", "fd00:9::2")
                .udp(1, 4789)
                .payload(payload(HexFormat.of().parseHex("0800000000100000"), inner().bytes()))
                .bytes(),
            inner().bytes());
    List<String> alone = new ArrayList<>();
    for (byte[] frame : kinds) {
      arrive(frame, UPLINK);
      decap.process(v);
      alone.add(outcome(0));
    }
    long counted = counters.received(first);
    long countedBytes = counters.receivedBytes(second);
    assertEquals(6, counted, "of the sender that most of them have");
    try (NativeArea many = NativeArea.map("frames", (long) PacketVector.CAPACITY * 1024)) {
      v.size = 0;
      int[] kind = new int[PacketVector.CAPACITY];
      for (int i = 0; i < kind.length; i++) {
        kind[i] = i < kinds.size() ? i : random.nextInt(kinds.size());
        byte[] frame = kinds.get(kind[i]);
        long at = many.address() + i * 1024L + HEADROOM;
        Memory.copyIn(frame, 0, at, frame.length);
        v.append(at - HEADROOM, at, frame.length, UPLINK);
      }
      parse.process(v);
      decap.process(v);
      int seconds = 0;
      for (int i = 0; i < kind.length; i++) {
        assertEquals(alone.get(kind[i]), outcome(i), "kind " + kind[i]);
        seconds += kind[i] == 1 ? 1 : 0;
      }
      assertEquals((seconds + 1) * countedBytes, counters.receivedBytes(second));
    }
  }

  private static byte[] payload(byte[] vxlan, byte[] inner) {
    return ByteBuffer.allocate(vxlan.length + inner.length).put(vxlan).put(inner).array();
  }

  /** All that later stages see of packet {@code i}. */
  private String outcome(int i) {
    byte[] bytes = new byte[v.length[i]];
    Memory.copyOut(v.address[i], bytes, 0, bytes.length);
    return "%d %x %d %d %d %d %x %s"
        .formatted(
            v.verdict[i],
            v.flags[i],
            v.l3[i],
            v.l4[i],
            v.protocol[i],
            v.l4Length[i],
            v.ports[i],
            HexFormat.of().formatHex(bytes));
  }

  /** Mutations of good frames, each in a live area of its own bytes: no access outside it. */
  @Test
  void shouldNeverLookBeyondAFrame() {
    System.out.println("gatun.fuzz.seed=" + SEED + " gatun.fuzz.frames=" + FUZZED);
    assertTrue(Memory.CHECKS, "run with -Dgatun.memory.checks=true");
    SplittableRandom random = new SplittableRandom(SEED);
    byte[][] corpus = {
      outer(VNI_1, inner().bytes()).bytes(),
      outer(VNI_1, inner().bytes()).checksum(0).bytes(),
      outer(VNI_1, PacketBuilder.ipv6("fd00::1", "fd00::2").macs(1, VTEP_MAC).udp(1, 2).bytes())
          .checksum(0)
          .bytes()
    };
    int through = 0;
    try (Arena arena = Arena.ofConfined()) {
      long at = arena.allocate(4096, 64).address() + 512;
      for (int n = 0; n < FUZZED; n++) {
        byte[] frame = corpus[random.nextInt(corpus.length)].clone();
        for (int flips = random.nextInt(4); flips > 0; flips--) {
          frame[random.nextInt(frame.length)] = (byte) random.nextInt(256);
        }
        int length = random.nextInt(4) == 0 ? random.nextInt(frame.length + 1) : frame.length;
        LiveAreas.add(at, frame.length);
        Memory.copyIn(frame, 0, at, frame.length);
        LiveAreas.remove(at);
        LiveAreas.add(at, length);
        v.size = 0;
        v.append(at - 512, at, length, random.nextInt(4));
        parse.process(v);
        decap.process(v);
        LiveAreas.remove(at);
        through += v.verdict[0] == Verdict.CONTINUE && v.address[0] != at ? 1 : 0;
      }
    }
    assertTrue(through > FUZZED / 20, through + " of " + FUZZED + " were decapsulated");
  }
}
