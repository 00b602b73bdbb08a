package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.flow.FlowPath.Names;
import io.gatun.packet.Frame;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fragments in, in any order; all of them translated, or none. */
class FragmentStageTest {
  private static final int UDP = IpProtocol.UDP;

  /** With this identification unless a test says otherwise. */
  private static final int ID = 0x1234;

  private final FlowPath path = new FlowPath();
  private final FragmentTable table = new FragmentTable();
  private final FragmentStage fragments = new FragmentStage(table, () -> path.nanos);
  private final List<Stage> stages =
      List.of(
          new ParseStage(false, true),
          fragments,
          new TrackStage(path.flows, () -> path.nanos),
          new IcmpErrorStage(path.flows),
          new RewriteStage());
  private final PacketVector v = path.v;

  /** Held frames outlive the vector that they came with. */
  private final Map<Long, Frame> frames = new HashMap<>();

  @AfterEach
  void close() {
    frames.values().forEach(Frame::close);
    table.close();
    path.close();
  }

  /** One vector through the stages; what went on, in its order. */
  private List<String> pass(PacketBuilder... packets) {
    v.size = 0;
    for (PacketBuilder packet : packets) {
      Frame frame = Frame.of(packet.bytes(), 64);
      frames.put(frame.address(), frame);
      v.append(frame.start(), frame.address(), frame.length(), 1);
    }
    stages.forEach(stage -> stage.process(v));
    List<String> out = new ArrayList<>();
    for (int i = 0; i < v.size; i++) {
      if (v.verdict[i] == Verdict.CONTINUE) {
        out.add(Frame.hex(Objects.requireNonNull(frames.get(v.address[i])).bytes()));
      }
    }
    return out;
  }

  private void assertDrops(DropReason reason, PacketBuilder packet) {
    assertEquals(List.of(), pass(packet));
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(reason.code(), v.dropReason[0]);
  }

  private static String hex(PacketBuilder packet) {
    return Frame.hex(packet.bytes());
  }

  /** A UDP datagram as the kernel would fragment it. */
  private static PacketBuilder[] datagram(
      String from, int fromPort, String to, int toPort, int id, int bytes, int mtuPayload) {
    byte[] packet = PacketBuilder.ip(from, to).udp(fromPort, toPort).payload(bytes).packet();
    int header = from.contains(":") ? 40 : 20;
    byte[] l4 = Arrays.copyOfRange(packet, header, packet.length);
    List<PacketBuilder> parts = new ArrayList<>();
    for (int at = 0; at < l4.length; at += mtuPayload) {
      int end = Math.min(l4.length, at + mtuPayload);
      parts.add(part(from, to, id, at, end < l4.length, Arrays.copyOfRange(l4, at, end)));
    }
    return parts.toArray(new PacketBuilder[0]);
  }

  private static PacketBuilder part(
      String from, String to, int id, int offset, boolean more, byte[] payload) {
    return PacketBuilder.ip(from, to)
        .identification(id)
        .protocol(UDP)
        .payload(payload)
        .fragment(offset, more);
  }

  private void flow(Names n, int protocol) {
    path.flow(protocol, n.client(), 4000, n.front(), 80, n.node(), 61_000, n.endpoint(), 8080);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldTranslateEveryOrderOfArrivalBothWays(boolean ipv6) {
    Names n = Names.of(ipv6);
    flow(n, UDP);
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      boolean there = random.nextBoolean();
      int bytes = 1500 + random.nextInt(8000);
      PacketBuilder[] in =
          there
              ? datagram(n.client(), 4000, n.front(), 80, round, bytes, 1448)
              : datagram(n.endpoint(), 8080, n.node(), 61_000, round, bytes, 1448);
      PacketBuilder[] expected =
          there
              ? datagram(n.node(), 61_000, n.endpoint(), 8080, round, bytes, 1448)
              : datagram(n.front(), 80, n.client(), 4000, round, bytes, 1448);
      List<PacketBuilder> order = new ArrayList<>(List.of(in));
      Collections.shuffle(order, random);
      Set<String> out = new HashSet<>();
      while (!order.isEmpty()) {
        int take = 1 + random.nextInt(order.size());
        out.addAll(pass(order.subList(0, take).toArray(new PacketBuilder[0])));
        order.subList(0, take).clear();
      }
      Set<String> all = new HashSet<>();
      Arrays.stream(expected).forEach(p -> all.add(hex(p)));
      assertEquals(all, out, "seed " + seed + " round " + round);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldKeepDatagramsApart(boolean ipv6) {
    Names n = Names.of(ipv6);
    flow(n, UDP);
    path.flow(UDP, n.client(), 4001, n.front(), 80, n.node(), 61_001, n.endpoint(), 8080);
    PacketBuilder[] a = datagram(n.client(), 4000, n.front(), 80, 1, 2000, 1448);
    PacketBuilder[] b = datagram(n.client(), 4001, n.front(), 80, 2, 2000, 1448);
    PacketBuilder[] ours = datagram(n.node(), 61_000, n.endpoint(), 8080, 1, 2000, 1448);
    PacketBuilder[] theirs = datagram(n.node(), 61_001, n.endpoint(), 8080, 2, 2000, 1448);
    assertEquals(
        List.of(hex(ours[0]), hex(theirs[0]), hex(theirs[1]), hex(ours[1])),
        pass(a[0], b[0], b[1], a[1]));
    // An identification is used again as soon as its datagram is whole.
    PacketBuilder[] again = datagram(n.client(), 4001, n.front(), 80, 1, 3000, 1448);
    PacketBuilder[] its = datagram(n.node(), 61_001, n.endpoint(), 8080, 1, 3000, 1448);
    assertEquals(
        List.of(hex(its[0]), hex(its[1]), hex(its[2])), pass(again[0], again[1], again[2]));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLeavePlainFragmentsAsTheyAre(boolean ipv6) {
    Names n = Names.of(ipv6);
    PacketBuilder[] plain = datagram(n.client(), 1, n.endpoint(), 2, 9, 4000, 1448);
    assertEquals(
        List.of(hex(plain[0]), hex(plain[1]), hex(plain[2])), pass(plain[0], plain[1], plain[2]));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldHoldBrieflyAndBounded(boolean ipv6) {
    Names n = Names.of(ipv6);
    PacketBuilder[] plain = datagram(n.client(), 1, n.endpoint(), 2, 9, 2000, 1448);
    assertEquals(List.of(), pass(plain[1]));
    assertEquals(Verdict.HELD, v.verdict[0]);
    path.nanos += 400_000_000L;
    assertEquals(List.of(), pass());
    path.nanos += 200_000_000L;
    assertEquals(List.of(hex(plain[1])), pass(), "its first fragment went another way");
    for (int k = 0; k < 100; k++) {
      PacketBuilder late = datagram(n.client(), 1, n.endpoint(), 2, 100 + k, 2000, 1448)[1];
      assertEquals(k < 64 ? List.of() : List.of(hex(late)), pass(late));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRefuseWhatOverlaps(boolean ipv6) {
    Names n = Names.of(ipv6);
    flow(n, UDP);
    PacketBuilder[] good = datagram(n.client(), 4000, n.front(), 80, ID, 4000, 1448);
    assertEquals(1, pass(good[0]).size());
    assertDrops(DropReason.FRAGMENT_OVERLAP, good[0]);
    assertEquals(1, pass(good[1]).size(), "a repetition spoils nothing");
    assertDrops(
        DropReason.FRAGMENT_OVERLAP,
        part(n.client(), n.front(), ID, 2 * 1448 - 8, false, new byte[100]));
    assertDrops(DropReason.FRAGMENT_OVERLAP, good[2]);
    path.nanos += 3_000_000_000L;
    assertEquals(1, pass(good[0]).size(), "forgotten after two seconds");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRefuseTwoEnds(boolean ipv6) {
    Names n = Names.of(ipv6);
    flow(n, UDP);
    PacketBuilder[] good = datagram(n.client(), 4000, n.front(), 80, ID, 2000, 1448);
    assertEquals(1, pass(good[0]).size());
    pass(part(n.client(), n.front(), ID, 4800, true, new byte[8]));
    assertDrops(DropReason.FRAGMENT_OVERLAP, good[1]);
    assertDrops(
        DropReason.FRAGMENT_OVERLAP, part(n.client(), n.front(), ID, 8000, false, new byte[9]));
  }

  @Test
  void shouldRefuseAnOffsetIntoTheTransportHeader() {
    Names n = Names.of(false);
    flow(n, IpProtocol.TCP);
    PacketBuilder first =
        PacketBuilder.ip(n.client(), n.front()).tcp(4000, 80).flags(Tcp.ACK).fragment(0, true);
    assertEquals(0, pass(first.payload(1)).size(), "ragged");
    assertEquals(1, pass(first.payload(4)).size());
    PacketBuilder flags =
        PacketBuilder.ip(n.client(), n.front())
            .protocol(IpProtocol.TCP)
            .fragment(8, true)
            .payload(8);
    // RFC 3128: within the header that has passed.
    assertDrops(DropReason.FRAGMENT_OVERLAP, flags);
    PacketBuilder tiny =
        PacketBuilder.ip(n.client(), n.front())
            .protocol(IpProtocol.TCP)
            .identification(7)
            .fragment(0, true)
            .payload(16);
    assertDrops(DropReason.BAD_L4_HEADER, tiny);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRefuseWhatIsNoFragment(boolean ipv6) {
    Names n = Names.of(ipv6);
    assertDrops(DropReason.BAD_FRAGMENT, part(n.client(), n.front(), ID, 80, true, new byte[9]));
    assertDrops(DropReason.BAD_FRAGMENT, part(n.client(), n.front(), ID, 80, false, new byte[0]));
    assertDrops(
        DropReason.BAD_FRAGMENT, part(n.client(), n.front(), ID, 65_528, false, new byte[8]));
  }

  /**
   * Destination options of 16 bytes, then an authentication header, then the fragment's. Where the
   * options' length is read as the authentication header's, the walk goes astray: to {@code 0, 255}
   * here, and from there beyond the frame.
   */
  @Test
  void shouldFindTheFragmentHeaderBehindOthers() {
    Names n = Names.of(true);
    byte[] options = new byte[14];
    options[11] = (byte) 255;
    PacketBuilder[] parts = new PacketBuilder[2];
    for (int k = 0; k < 2; k++) {
      parts[k] =
          PacketBuilder.ip(n.client(), n.endpoint())
              .protocol(UDP)
              .extension(IpProtocol.DESTINATION_OPTIONS, 1, options)
              .extension(IpProtocol.AUTHENTICATION, 2)
              .identification(ID)
              .payload(16)
              .fragment(16 * k, k == 0);
    }
    assertEquals(List.of(hex(parts[0]), hex(parts[1])), pass(parts[0], parts[1]));
    assertDrops(DropReason.BAD_FRAGMENT, parts[1].payload(0));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldRefuseAThousandSplinters(boolean ipv6) {
    Names n = Names.of(ipv6);
    PacketBuilder[] good = datagram(n.client(), 4000, n.front(), 80, ID, 60, 8);
    pass(good[0]);
    for (int k = 1; k <= 7; k++) {
      pass(part(n.client(), n.front(), ID, 16 * k, true, new byte[8]));
    }
    assertDrops(
        DropReason.FRAGMENT_SCATTERED, part(n.client(), n.front(), ID, 160, true, new byte[8]));
  }

  /** Random ranges of one datagram against a bit map: what passes never overlaps. */
  @Test
  void shouldAgreeWithANaiveModel() {
    Names n = Names.of(false);
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 2000; round++) {
      boolean[] passed = new boolean[64];
      boolean spoilt = false;
      int id = round;
      pass(part(n.client(), n.front(), id, 0, true, new byte[8]));
      passed[0] = true;
      for (int k = 0; k < 20; k++) {
        int start = random.nextInt(60);
        int end = start + 1 + random.nextInt(3);
        int within = 0;
        for (int u = start; u < end; u++) {
          within += passed[u] ? 1 : 0;
        }
        List<String> out =
            pass(part(n.client(), n.front(), id, start * 8, true, new byte[(end - start) * 8]));
        if (spoilt || within > 0) {
          assertEquals(DropReason.FRAGMENT_OVERLAP.code(), v.dropReason[0], "seed " + seed);
          // A repetition spoils nothing, but we tell it only within what is joined.
          boolean repeats = within == end - start;
          spoilt |= !repeats;
        } else if (out.isEmpty()) {
          assertEquals(DropReason.FRAGMENT_SCATTERED.code(), v.dropReason[0], "seed " + seed);
        } else {
          Arrays.fill(passed, start, end, true);
        }
      }
    }
  }
}
