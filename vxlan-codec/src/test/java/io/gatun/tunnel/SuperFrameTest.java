package io.gatun.tunnel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.segment.Segmenter;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a pod hands over as one segment of 64 KiB crosses the underlay as packets of its own. */
class SuperFrameTest {
  private static final int MSS = 1398;
  private static final int SEGMENTS = 7;
  private static final long VTEP_MAC = 0x0A_58_0A_F4_01_00L;

  private final NativeArea area = NativeArea.map("frames", 1 << 17);
  private final TunnelTable tunnels = new TunnelTable(1, Runnable::run);
  private final TunnelCounters counters = new TunnelCounters(1);
  private final EncapStage encap = new EncapStage(tunnels, counters, false);
  private final ParseStage parse = new ParseStage(false, true);
  private final DecapStage decap =
      new DecapStage(parse, new boolean[] {true, false}, tunnels, counters, false);
  private final PacketVector v = new PacketVector();

  @AfterEach
  void close() {
    area.close();
    tunnels.close();
  }

  private static Tunnel tunnel(boolean six) {
    return new Tunnel(
        1,
        InetAddress.ofLiteral(six ? "fd00:9::2" : "192.168.0.2"),
        InetAddress.ofLiteral(six ? "fd00:9::3" : "192.168.0.3"),
        8472,
        0,
        1,
        2,
        0,
        false,
        1450);
  }

  private static PacketBuilder inner(boolean six, byte[] payload, int sequence) {
    PacketBuilder ip =
        six
            ? PacketBuilder.ipv6("fd00:244::9", "fd00:244:1::7")
            : PacketBuilder.ipv4("10.244.2.9", "10.244.1.7");
    return ip.macs(1, VTEP_MAC).tcp(40_000, 80).flags(Tcp.ACK).sequence(sequence).payload(payload);
  }

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void shouldCutBeforeItWraps(boolean outerSix, boolean innerSix) {
    byte[] payload = new byte[MSS * (SEGMENTS - 1) + 100];
    for (int i = 0; i < payload.length; i++) {
      payload[i] = (byte) (i * 31 >>> 3);
    }
    int number = tunnels.add(tunnel(outerSix));
    byte[] whole = inner(innerSix, payload, 1000).partialChecksum().bytes();
    long at = area.address() + 256;
    Memory.copyIn(whole, 0, at, whole.length);
    v.append(area.address(), at, whole.length, 1);
    v.flags[0] = PacketVector.PARTIAL_CHECKSUM;
    v.csumStart[0] = innerSix ? 54 : 34;
    v.csumOffset[0] = Tcp.CHECKSUM;
    v.segmentSize[0] = MSS;
    parse.process(v);
    assertEquals(Verdict.CONTINUE, v.verdict[0]);
    v.flags[0] |= PacketVector.TUNNEL;
    v.tunnel[0] = number;
    v.verdict[0] = Verdict.SEND;
    encap.process(v);
    assertEquals(SEGMENTS, counters.sent(number));

    Segmenter segmenter = new Segmenter();
    segmenter.begin(v, 0);
    decap.vteps(List.of(new Vtep(tunnel(outerSix).remote(), 8472, 1, VTEP_MAC)));
    long to = area.address() + (1 << 16);
    PacketVector wire = new PacketVector();
    int done = 0;
    for (int k = 0; segmenter.more(); k++) {
      wire.size = 0;
      int bytes = segmenter.next(to + 256);
      assertEquals(outerSix ? 70 : 50, bytes - segment(innerSix, payload, done).length);
      wire.append(to, to + 256, bytes, 0);
      parse.process(wire);
      assertEquals(Verdict.CONTINUE, wire.verdict[0], "outer header of segment " + k);
      decap.process(wire);
      byte[] seen = new byte[wire.length[0]];
      Memory.copyOut(wire.address[0], seen, 0, seen.length);
      byte[] expected = segment(innerSix, payload, done);
      if (!innerSix) {
        int identification = (ByteBuffer.wrap(whole).getShort(18) & 0xFFFF) + k;
        assertEquals(identification & 0xFFFF, ByteBuffer.wrap(seen).getShort(18) & 0xFFFF);
        Arrays.fill(seen, 18, 20, (byte) 0); // and with it the header's checksum
        Arrays.fill(seen, 24, 26, (byte) 0);
        Arrays.fill(expected, 18, 20, (byte) 0);
        Arrays.fill(expected, 24, 26, (byte) 0);
      }
      assertArrayEquals(expected, seen, "segment " + k);
      done += MSS;
    }
    assertTrue(done >= payload.length);
  }

  private static byte[] segment(boolean six, byte[] payload, int from) {
    byte[] part = Arrays.copyOfRange(payload, from, Math.min(payload.length, from + MSS));
    return inner(six, part, 1000 + from).bytes();
  }
}
