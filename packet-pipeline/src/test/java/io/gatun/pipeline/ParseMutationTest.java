package io.gatun.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.LiveAreas;
import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Frame;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Mutations;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.RealFrames;
import io.gatun.packet.Tcp;
import io.gatun.packet.Vlan;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Good frames, mutated at random, each in a live area of exactly its bytes: any access outside the
 * frame fails. How many and from which seed: {@link Mutations}.
 */
class ParseMutationTest {
  private static final int FRAMES = Mutations.frames(300_000);
  private static final int HEADROOM = 96;

  private final Mutations mutations = new Mutations(corpus());
  private final SplittableRandom random = mutations.random();
  private final PacketVector v = new PacketVector();
  private final ParseStage parse = new ParseStage(false, true);
  private final int[] ends = new int[DropReason.LIMIT];
  private long now;
  private final Answers answers = new Answers(() -> now += 1_000_000);

  {
    answers.ownAddresses(new OwnAddresses(0x0A00_00FE, 0x2001_0db8L << 32, 0xFE));
  }

  @Test
  void shouldNeverLookBeyondAFrame() {
    System.out.println("gatun.fuzz.seed=" + mutations.seed() + " gatun.fuzz.frames=" + FRAMES);
    assertTrue(Memory.CHECKS, "run with -Dgatun.memory.checks=true");
    try (Arena arena = Arena.ofConfined()) {
      long buffer = arena.allocate(HEADROOM + Mutations.MOST + 64L, 64).address() + HEADROOM;
      for (int n = 0; n < FRAMES; n++) {
        byte[] frame = mutations.next();
        try {
          fuzz(buffer, frame);
        } catch (Throwable e) {
          throw new AssertionError(
              "frame %d of seed %d: %s".formatted(n, mutations.seed(), Frame.hex(frame)), e);
        }
      }
    }
    System.out.println(
        "went on: %,d, bad IP header: %,d, bad L4 header: %,d"
            .formatted(
                ends[0],
                ends[DropReason.BAD_IP_HEADER.code()],
                ends[DropReason.BAD_L4_HEADER.code()]));
    assertTrue(ends[0] > FRAMES / 20, "mutations leave enough frames whole");
  }

  private void fuzz(long address, byte[] frame) {
    v.size = 0;
    LiveAreas.add(address, frame.length);
    try {
      Memory.copyIn(frame, 0, address, frame.length);
      v.append(address, address, frame.length, random.nextInt(2));
      parse.process(v);
      if (v.verdict[0] != Verdict.CONTINUE) {
        assertEquals(Verdict.DROP, v.verdict[0]);
        ends[v.dropReason[0]]++;
        return;
      }
      ends[0]++;
      keepsItsPromises(frame.length);
    } finally {
      LiveAreas.remove(address);
    }
    LiveAreas.add(address - HEADROOM, HEADROOM + frame.length);
    try {
      v.frame[0] = address - HEADROOM;
      answer();
    } finally {
      LiveAreas.remove(address - HEADROOM);
    }
  }

  private void keepsItsPromises(int bytes) {
    assertTrue(v.length[0] <= bytes);
    assertTrue(v.l3[0] >= 14 && v.l3[0] <= 22);
    assertTrue(v.l4[0] >= v.l3[0] + 20);
    assertEquals(v.length[0], v.l4[0] + v.l4Length[0]);
    if ((v.flags[0] & PacketVector.LATER_FRAGMENT) != 0) {
      assertEquals(0, v.ports[0]);
      return;
    }
    long l4 = v.address[0] + v.l4[0];
    boolean v6 = (v.flags[0] & PacketVector.IPV6) != 0;
    int header =
        switch (v.protocol[0]) {
          case IpProtocol.TCP -> Tcp.headerBytes(l4);
          case IpProtocol.UDP -> 8;
          case IpProtocol.ICMP -> v6 ? 0 : 8;
          case IpProtocol.ICMPV6 -> v6 ? 8 : 0;
          case IpProtocol.SCTP -> 12;
          default -> 0;
        };
    assertTrue(header <= v.l4Length[0]);
  }

  /** Any answer, and then parse has to accept it. */
  private void answer() {
    switch (random.nextInt(5)) {
      case 0 -> answers.portUnreachable(v, 0, DropReason.NO_ENDPOINTS);
      case 1 -> answers.timeExceeded(v, 0);
      case 2 -> answers.tooBig(v, 0, 1_400);
      case 3 -> answers.reset(v, 0, DropReason.NO_FLOW);
      default -> answers.echoReply(v, 0);
    }
    if (v.verdict[0] == Verdict.ANSWER) {
      v.verdict[0] = Verdict.CONTINUE;
      parse.process(v);
      assertEquals(Verdict.CONTINUE, v.verdict[0], () -> "reason " + v.dropReason[0]);
    }
  }

  private static List<byte[]> corpus() {
    List<byte[]> frames = new ArrayList<>();
    RealFrames.all().forEach(real -> frames.add(real.bytes()));
    for (String[] pair :
        new String[][] {{"10.0.0.1", "10.96.0.1"}, {"2001:db8::1", "2001:db8:96::1"}}) {
      boolean v6 = pair[0].indexOf(':') >= 0;
      for (int variant = 0; variant < 6; variant++) {
        frames.add(varied(pair, variant).tcp(4000, 80).flags(Tcp.SYN).bytes());
        frames.add(varied(pair, variant).tcp(4000, 80).partialChecksum().payload(99).bytes());
        frames.add(varied(pair, variant).udp(4000, 53).payload(17).bytes());
        frames.add(varied(pair, variant).echo(1, 1).payload(56).bytes());
        frames.add(varied(pair, variant).sctp(1, 2).payload(4).bytes());
        byte[] quote = varied(pair, 5).udp(1, 2).payload(4).packet();
        frames.add(varied(pair, variant).icmpError(v6 ? 1 : 3, 3, 0, quote).bytes());
      }
    }
    return frames;
  }

  private static PacketBuilder varied(String[] pair, int variant) {
    PacketBuilder packet = PacketBuilder.ip(pair[0], pair[1]);
    return switch (variant) {
      case 1 -> packet.vlan(7);
      case 2 -> packet.tag(Vlan.SERVICE, 3).vlan(7);
      case 3 -> packet.options(12).extension(IpProtocol.DESTINATION_OPTIONS, 2);
      case 4 ->
          packet
              .extension(IpProtocol.HOP_BY_HOP, 1)
              .extension(IpProtocol.ROUTING, 3)
              .extension(IpProtocol.AUTHENTICATION, 3)
              .options(40);
      case 5 -> packet.fragment(0, true);
      default -> packet;
    };
  }
}
