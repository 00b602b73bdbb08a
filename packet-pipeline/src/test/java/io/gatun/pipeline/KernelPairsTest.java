package io.gatun.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.packet.Checksum;
import io.gatun.packet.Frame;
import io.gatun.packet.RealFrames;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Frames of the kernel's own stack: what parse makes of them, and our answers beside its own. */
class KernelPairsTest {
  static Stream<RealFrames.Real> real() {
    return RealFrames.all().stream();
  }

  @ParameterizedTest
  @MethodSource("real")
  void shouldParse(RealFrames.Real real) {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(real.bytes())) {
      parse(v, frame);
      if (real.name().startsWith("arp")) {
        assertEquals(DropReason.UNKNOWN_ETHERTYPE.code(), v.dropReason[0]);
        return;
      }
      assertEquals(Verdict.CONTINUE, v.verdict[0]);
      boolean transport = v.protocol[0] == 6 || v.protocol[0] == 17;
      int fragment = PacketVector.FIRST_FRAGMENT | PacketVector.LATER_FRAGMENT;
      if (!transport || (v.flags[0] & fragment) != 0) {
        return;
      }
      boolean partial = (v.flags[0] & PacketVector.PARTIAL_CHECKSUM) != 0;
      // The kernel computes the checksum of its IPv4 resets itself.
      if (!real.name().contains("flags 14")) {
        assertEquals(real.name().endsWith("partial"), partial);
      }
      long l3 = v.address[0] + v.l3[0];
      long l4 = v.address[0] + v.l4[0];
      int bytes = v.l4Length[0];
      if (partial) {
        Checksum.complete(l4, bytes, v.csumOffset[0]);
      }
      int pseudoHeader =
          (v.flags[0] & PacketVector.IPV6) != 0
              ? Checksum.pseudoHeaderV6(l3, v.protocol[0], bytes)
              : Checksum.pseudoHeaderV4(l3, v.protocol[0], bytes);
      assertTrue(Checksum.correct(l4, bytes, pseudoHeader));
    }
  }

  @Test
  void shouldResetAsTheKernelDoes() {
    Answers answers = new Answers();
    BiConsumer<PacketVector, Integer> reset = (v, i) -> answers.reset(v, i, DropReason.NO_FLOW);
    assertSame("ipv4 tcp flags 02 81 full", "ipv4 tcp flags 14 81 full", reset);
    assertSame("ipv6 tcp flags 02 81 full", "ipv6 tcp flags 14 81 full", reset);
  }

  @Test
  void shouldReportPortsUnreachableAsTheKernelDoes() {
    Answers answers = new Answers();
    BiConsumer<PacketVector, Integer> reject =
        (v, i) -> answers.portUnreachable(v, i, DropReason.NO_ENDPOINTS);
    assertSame("ipv4 udp 54 full", "ipv4 icmp 3 3 full", reject);
    assertSame("ipv6 udp 54 full", "ipv6 icmp 1 4 full", reject);
  }

  private static void assertSame(
      String question, String answer, BiConsumer<PacketVector, Integer> ours) {
    PacketVector v = new PacketVector();
    try (Frame frame = Frame.of(RealFrames.named(question), 96)) {
      parse(v, frame);
      ours.accept(v, 0);
      assertEquals(Verdict.ANSWER, v.verdict[0]);
      assertEquals(
          Frame.hex(comparable(RealFrames.named(answer))),
          Frame.hex(comparable(Frame.bytes(v.address[0], v.length[0]))));
    }
  }

  /** Without what is the sender's choice: IPv4 identification, DF (and checksum), flow label. */
  private static byte[] comparable(byte[] frame) {
    byte[] bytes = frame.clone();
    int[] free = bytes[12] == 8 ? new int[] {18, 19, 20, 24, 25} : new int[] {15, 16, 17};
    for (int index : free) {
      bytes[index] = 0;
    }
    return bytes;
  }

  private static void parse(PacketVector v, Frame frame) {
    v.append(frame.start(), frame.address(), frame.length(), 0);
    new ParseStage(true).process(v);
  }
}
