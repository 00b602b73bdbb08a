package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.LiveAreas;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.Frame;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Mutations;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.RealFrames;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.port.memory.MemoryPort;
import io.gatun.segment.FragmentationStage;
import io.gatun.worker.WorkerCounters;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Hostile frames through the whole pipeline: parse, track, service, rewrite, route, answers. Each
 * lies right before a guard page and in a live area of exactly its bytes (behind the parse stage
 * with the headroom that answers may write); each has to end as dropped for a named reason or as
 * {@link Judge} says that it should leave.
 */
class PipelineFuzzTest {
  private static final int FRAMES = Mutations.frames(150_000);
  private static final int HEADROOM = 256;
  private static final int FLOWS = 20_000;

  /** More than there are fragments that wait for their first one. */
  private static final int SLOTS = 80;

  /**
   * A prime, so that all low bits and all high bits have their turn; a long run tries all values.
   */
  private static final int LIES_APART = Boolean.getBoolean("gatun.long") ? 1 : 19;

  /** How often the frames that open the corpus' flows are sent again, unspoiled. */
  private static final int REFRESH = 4_096;

  private final NodeInMemory node = new NodeInMemory(FLOWS);
  private final Deque<Slot> free = new ArrayDeque<>();
  private final Map<Long, Slot> busy = new HashMap<>();
  private final PacketVector v = new PacketVector();
  private final Map<String, Integer> ends = new TreeMap<>();
  private final List<ExactFrames.Row> good = ExactFrames.rows();
  private final List<byte[]> corpus = new ArrayList<>();

  /** A page and its guard, with one frame at its end. */
  private static final class Slot {
    final NativeArea area = NativeArea.map("fuzz", 4_096);
    final long end = area.address() + area.bytes(); // the guard page begins here
    byte[] frame = {};
    String what = "";

    Slot() {
      LiveAreas.remove(area.address()); // what of it may be touched, every frame says anew
    }

    long start() {
      return end - frame.length - HEADROOM;
    }
  }

  PipelineFuzzTest() {
    for (int i = 0; i < SLOTS; i++) {
      free.add(new Slot());
    }
    good.forEach(row -> corpus.add(row.in()));
    RealFrames.all().forEach(real -> corpus.add(real.bytes()));
    for (String[] way :
        new String[][] {
          {"10.1.0.2", "10.96.0.10"}, {"fd01::2", "fd96::10"}, {"10.1.0.2", "10.2.0.3"}
        }) {
      PacketBuilder first = PacketBuilder.ip(way[0], way[1]).udp(5353, 80).payload(64);
      corpus.add(first.identification(9).dontFragment(false).fragment(0, true).bytes());
      PacketBuilder later = PacketBuilder.ip(way[0], way[1]).udp(5353, 80).payload(31);
      corpus.add(later.identification(9).dontFragment(false).fragment(72, false).bytes());
    }
    for (int type : new int[] {IpProtocol.DESTINATION_OPTIONS, IpProtocol.AUTHENTICATION}) {
      for (int offset : new int[] {0, 16}) {
        PacketBuilder behind = PacketBuilder.ip("fd01::2", "fd96::10").udp(5353, 80).payload(16);
        behind.extension(IpProtocol.ROUTING, 2).extension(type, 2).identification(offset + type);
        corpus.add(behind.fragment(offset, offset == 0).bytes());
      }
    }
    assertTrue(Memory.CHECKS, "run with -Dgatun.memory.checks=true");
  }

  @AfterEach
  void close() {
    free.forEach(slot -> slot.area.close());
    busy.values()
        .forEach(slot -> {
          LiveAreas.remove(slot.start());
          slot.area.close();
        });
    node.close();
    System.out.println(ends);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDropOrForwardRightlyWhateverComes(boolean egress) {
    if (egress) {
      leave();
    }
    Mutations mutations = new Mutations(corpus);
    System.out.println("gatun.fuzz.seed=" + mutations.seed() + " gatun.fuzz.frames=" + FRAMES);
    for (int n = 0; n < FRAMES; n++) {
      if (n % REFRESH == 0) {
        good.forEach(row -> send(row.in(), row.inPort(), row.name()));
      }
      byte[] frame = mutations.next();
      int port = mutations.random().nextInt(2);
      send(frame, port, "frame %d of seed %d".formatted(n, mutations.seed()));
    }
    int forwarded = ends.getOrDefault("send", 0);
    assertTrue(forwarded > FRAMES / 20, "mutations leave enough frames whole: " + ends);
    assertTrue(ends.getOrDefault("send translated", 0) > FRAMES / 50, ends::toString);
    assertTrue(ends.getOrDefault("answer", 0) > FRAMES / 100, ends::toString);
  }

  /** Pods go out by the node's address, and come back. */
  private void leave() {
    node.egress();
    for (String[] way : new String[][] {{"10.1.0.2", "192.0.2.9"}, {"fd01::2", "2001:db8::9"}}) {
      PacketBuilder[] out = {
        PacketBuilder.ip(way[0], way[1]).udp(5353, 80),
        PacketBuilder.ip(way[0], way[1]).tcp(5353, 80).flags(Tcp.SYN),
        PacketBuilder.ip(way[0], way[1]).sctp(5353, 80),
        PacketBuilder.ip(way[0], way[1]).echo(77, 1)
      };
      String own = way[0].contains(":") ? "fd00::2" : "192.168.0.2";
      PacketBuilder[] back = {
        PacketBuilder.ip(way[1], own).udp(80, 61_000),
        PacketBuilder.ip(way[1], own).tcp(80, 61_000).flags(Tcp.SYN | Tcp.ACK),
        PacketBuilder.ip(way[1], own).sctp(80, 61_000),
        PacketBuilder.ip(way[1], own)
            .icmp(own.contains(":") ? Icmpv6.ECHO_REPLY : Icmp.ECHO_REPLY, 0, 61_000 << 16 | 1)
      };
      for (int k = 0; k < out.length; k++) {
        corpus.add(out[k].payload(32).bytes());
        corpus.add(back[k].payload(32).bytes());
      }
      corpus.add(PacketBuilder.ip(way[0], way[1]).protocol(58).payload(new byte[] {8}).bytes());
      corpus.add(PacketBuilder.ip(way[0], way[1]).protocol(1).payload(new byte[] {8}).bytes());
    }
  }

  @Test
  void shouldDropOrForwardRightlyEveryCut() {
    for (byte[] frame : corpus) {
      for (int length = 0; length < frame.length; length++) {
        byte[] cut = Arrays.copyOf(frame, length);
        send(cut, NodeInMemory.POD, "cut to " + length);
        send(owned(cut), NodeInMemory.UPLINK, "cut, and says so, to " + length);
      }
    }
    assertTrue(ends.getOrDefault("drop bad_l4_header", 0) > corpus.size(), ends::toString);
    assertTrue(ends.getOrDefault("drop bad_extension_header", 0) > 0, ends::toString);
  }

  /** The IP header's length is that of the frame: so what is cut is what follows. */
  private static byte[] owned(byte[] cut) {
    if (cut.length >= 34 && cut[12] == 8) {
      cut[16] = (byte) ((cut.length - 14) >> 8);
      cut[17] = (byte) (cut.length - 14);
      Mutations.repairIpv4Checksum(cut);
    } else if (cut.length >= 54 && cut[12] == (byte) 0x86) {
      cut[18] = (byte) ((cut.length - 54) >> 8);
      cut[19] = (byte) (cut.length - 54);
    }
    return cut;
  }

  /** Whatever a byte or two in the headers say, be it a length or not. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDropOrForwardRightlyWhateverLengthsSay(boolean egress) {
    if (egress) {
      leave();
    }
    for (byte[] frame : corpus) {
      for (int at = 12; at < Math.min(frame.length, 80); at++) {
        byte[] lie = frame.clone();
        for (int value = 0; value < 256; value += LIES_APART) {
          lie[at] = (byte) value;
          lied(lie, at);
        }
        for (int delta = -8; delta <= 8; delta++) {
          lie[at] = (byte) (frame[at] + delta);
          lied(lie, at);
        }
        if (at + 1 < frame.length) { // both bytes: just around what is there, and far beyond
          for (int value : new int[] {0, 1, 7, 8, 19, 20, 21, 39, 40, 0x7FFF, 0xFFFE, 0xFFFF}) {
            lie[at] = (byte) (value >> 8);
            lie[at + 1] = (byte) value;
            lied(lie, at);
          }
        }
      }
    }
  }

  private void lied(byte[] lie, int at) {
    byte[] frame = lie.clone();
    send(frame, at & 1, "a lie at " + at);
    Mutations.repairIpv4Checksum(frame);
    if (!Arrays.equals(frame, lie)) {
      send(frame, at & 1, "a lie at " + at);
    }
  }

  /** Bursts of anything through the worker: it goes on, and no frame is lost. */
  @Test
  void shouldGoOnAndLoseNoFrame() {
    MemoryPort pod = node.port(NodeInMemory.POD);
    MemoryPort uplink = node.port(NodeInMemory.UPLINK);
    Mutations mutations = new Mutations(corpus);
    System.out.println("gatun.fuzz.seed=" + mutations.seed());
    int frames = FRAMES / 10;
    for (int n = 0; n < frames; ) {
      for (int burst = 0; burst < 64; burst++) {
        byte[] frame = mutations.next();
        if (frame.length <= 1500) {
          n++;
          assertTrue((mutations.random().nextBoolean() ? pod : uplink).push(frame));
        }
      }
      node.nanos += 64_000_000;
      node.worker.doWork();
      while (pod.take() != null || uplink.take() != null) {}
    }
    node.nanos += 1_000_000_000; // longer than a fragment waits for its first one
    assertTrue(pod.push(good.getFirst().in()));
    node.worker.doWork();
    WorkerCounters counters = node.counters();
    assertTrue(counters.received() >= frames);
    assertEquals(
        counters.received() + counters.made(), counters.transmitted() + counters.dropped());
    long named = 0;
    for (DropReason reason : DropReason.values()) {
      named += counters.drops(reason);
    }
    assertEquals(counters.dropped(), named);
    assertEquals(0, counters.drops(DropReason.INTERNAL));
    ends.put("dropped by the worker", (int) counters.dropped());
    ends.put("sent by the worker", (int) counters.transmitted());
  }

  private void send(byte[] bytes, int port, String what) {
    byte[] frame = bytes.clone(); // a fragment may be held while the caller changes its bytes
    Slot slot = free.remove();
    slot.frame = frame;
    slot.what = what + " at port " + port;
    long at = slot.end - frame.length;
    busy.put(slot.start(), slot);
    node.nanos += 1_000_000;
    v.size = 0;
    try {
      LiveAreas.add(at, frame.length);
      Memory.copyIn(frame, 0, at, frame.length);
      v.append(slot.start(), at, frame.length, port);
      node.stages.getFirst().process(v);
      LiveAreas.remove(at);
      LiveAreas.add(slot.start(), HEADROOM + frame.length);
      for (Stage stage : node.stages.subList(1, node.stages.size())) {
        // A slot is no frame of the pool, and what is cut has tests of its own.
        if (!(stage instanceof FragmentationStage)) {
          stage.process(v);
        }
      }
    } catch (Throwable e) {
      throw new AssertionError(slot.what + ": " + Frame.hex(frame), e);
    }
    for (int i = 0; i < v.size; i++) {
      if (v.verdict[i] != Verdict.HELD) { // a fragment that comes with a later vector
        ended(i);
      }
    }
  }

  private void ended(int i) {
    Slot slot = Objects.requireNonNull(busy.remove(v.frame[i]));
    try {
      judge(slot.frame, i);
    } catch (Throwable e) {
      throw new AssertionError(slot.what + ": " + Frame.hex(slot.frame), e);
    } finally {
      LiveAreas.remove(slot.start());
      free.add(slot);
    }
  }

  private void judge(byte[] frame, int i) {
    switch (v.verdict[i]) {
      case Verdict.SEND -> {
        boolean partial = (v.flags[i] & PacketVector.PARTIAL_CHECKSUM) != 0;
        boolean translated = (v.flags[i] & PacketVector.TRANSLATED) != 0;
        Judge.sent(frame, out(i), v.outPort[i], translated, partial);
        count(translated ? "send translated" : "send");
      }
      case Verdict.ANSWER -> {
        Judge.answered(frame, out(i), v.outPort[i]);
        count("answer");
      }
      case Verdict.DROP -> count("drop " + label(v.dropReason[i]));
      default -> throw new AssertionError("verdict " + v.verdict[i]);
    }
  }

  private byte[] out(int i) {
    return Frame.bytes(v.address[i], v.length[i]);
  }

  private void count(String ending) {
    ends.merge(ending, 1, Integer::sum);
  }

  private static String label(int code) {
    DropReason reason = DropReason.of(code);
    assertNotSame(DropReason.INTERNAL, reason);
    return reason.label();
  }
}
