package io.gatun.port.packet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.packet.VirtioNetHeader;
import io.gatun.packet.Checksum;
import io.gatun.packet.Frame;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Sctp;
import io.gatun.packet.SctpFrames;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.segment.Segmenter;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a pod says of its frames is held against them before anybody believes it. */
class OffloadTest {
  private static final int ROOM = VirtioNetHeader.BYTES;
  private final PacketVector v = new PacketVector();
  private final ParseStage parse = new ParseStage();

  private void receive(Frame frame, byte[] header) {
    long at = frame.address() - ROOM;
    Memory.copyIn(header, 0, at, ROOM);
    v.size = 0;
    v.append(frame.start(), frame.address(), frame.length(), 0);
    Offload.read(at, v, 0);
    parse.process(v);
  }

  private static byte[] header(int flags, int type, int headers, int size, int start, int offset) {
    byte[] bytes = new byte[ROOM];
    bytes[0] = (byte) flags;
    bytes[1] = (byte) type;
    int[] words = {headers, size, start, offset};
    for (int k = 0; k < 4; k++) {
      bytes[2 + 2 * k] = (byte) words[k];
      bytes[3 + 2 * k] = (byte) (words[k] >>> 8);
    }
    return bytes;
  }

  private static PacketBuilder segment() {
    return PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).payload(3000).partialChecksum();
  }

  @Test
  void shouldCarryASegmentThroughUnchanged() {
    try (Frame frame = Frame.of(segment().bytes(), 64)) {
      byte[] header = header(1, 1, 54, 1448, 34, 16);
      receive(frame, header);
      assertEquals(Verdict.CONTINUE, v.verdict[0]);
      assertEquals(1448, v.segmentSize[0]);
      Offload.write(frame.start(), v, 0);
      assertArrayEquals(header, Frame.bytes(frame.start(), ROOM));
    }
  }

  @Test
  void shouldSayThatCongestionWindowReducedBelongsIntoTheFirst() {
    try (Frame frame = Frame.of(segment().flags(Tcp.ACK | 0x80).bytes(), 64)) {
      byte[] header = header(1, 0x81, 54, 1448, 34, 16);
      receive(frame, header);
      Offload.write(frame.start(), v, 0);
      assertArrayEquals(header, Frame.bytes(frame.start(), ROOM));
    }
  }

  @Test
  void shouldDropWhatLies() {
    byte[][] lies = {
      header(1, 1, 54, 0, 34, 16), // segments of nothing
      header(1, 1, 54, 2, 34, 16), // of next to nothing: 1,500 packets
      header(1, 1, 54, 3001, 34, 16), // of more than there is
      header(1, 1, 54, 60_000, 34, 16),
      header(1, 1, 60_000, 1448, 34, 16), // headers longer than the frame
      header(0, 1, 54, 1448, 34, 16), // segments whose checksum is nobody's task
      header(1, 1, 54, 1448, 34, 6), // UDP's field
      header(1, 5, 54, 1448, 34, 6), // datagrams
      header(1, 3, 54, 1448, 34, 16), // UDP fragments
      header(1, 0x7F, 54, 1448, 34, 16),
      header(1, 1, 54, 1448, 35, 16), // not where TCP is
      header(1, 1, 54, 1448, 13, 16),
      header(1, 0, 54, 0, 65_000, 16), // beyond the end
      header(1, 0, 54, 0, 3050, 65_000),
      header(1, 0, 54, 0, 20, 2), // inside the IP header
    };
    for (byte[] lie : lies) {
      try (Frame frame = Frame.of(segment().bytes(), 64)) {
        receive(frame, lie);
        assertEquals(Verdict.DROP, v.verdict[0], Frame.hex(lie));
        assertEquals(DropReason.UNSUPPORTED_OFFLOAD.code(), v.dropReason[0], Frame.hex(lie));
      }
    }
  }

  @Test
  void shouldCompleteTheChecksumOfAnInnerPacket() {
    byte[] inner = PacketBuilder.ipv4("10.9.0.1", "10.9.0.2").tcp(3, 4).payload(99).bytes();
    byte[] partial =
        PacketBuilder.ipv4("10.9.0.1", "10.9.0.2").tcp(3, 4).payload(99).partialChecksum().bytes();
    byte[] tunnel = new byte[8 + inner.length];
    System.arraycopy(partial, 0, tunnel, 8, partial.length);
    byte[] outer =
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").udp(5, 4789).checksum(0).payload(tunnel).bytes();
    try (Frame frame = Frame.of(outer, 64)) {
      receive(frame, header(1, 0, 0, 0, 42 + 8 + 34, Tcp.CHECKSUM));
      assertEquals(Verdict.CONTINUE, v.verdict[0]);
      assertEquals(0, v.flags[0] & PacketVector.PARTIAL_CHECKSUM);
      assertArrayEquals(inner, Frame.bytes(frame.address() + 50, inner.length));
    }
  }

  /** A pod's SCTP with its CRC left to the device, as it is and in a tunnel that starts there. */
  @Test
  void shouldCompleteSctp() {
    for (String hex : SctpFrames.INITS) {
      byte[] whole = Frame.unhex(hex);
      int l4 = whole[12] == 8 ? 34 : 54;
      byte[] undone = whole.clone();
      Arrays.fill(undone, l4 + Sctp.CHECKSUM, l4 + Sctp.HEADER, (byte) 0);
      try (Frame frame = Frame.of(undone, 64)) {
        receive(frame, header(1, 0, 0, 0, l4, Sctp.CHECKSUM));
        assertEquals(Verdict.CONTINUE, v.verdict[0]);
        assertEquals(0, v.flags[0] & PacketVector.PARTIAL_CHECKSUM);
        assertArrayEquals(whole, Frame.bytes(frame.address(), whole.length));
      }
      byte[] tunnel = new byte[8 + undone.length];
      System.arraycopy(undone, 0, tunnel, 8, undone.length);
      byte[] outer =
          PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
              .udp(5, 4789)
              .checksum(0)
              .payload(tunnel)
              .bytes();
      try (Frame frame = Frame.of(outer, 64)) {
        receive(frame, header(1, 0, 0, 0, 42 + 8 + l4, Sctp.CHECKSUM));
        assertEquals(Verdict.CONTINUE, v.verdict[0]);
        assertArrayEquals(whole, Frame.bytes(frame.address() + 50, whole.length));
      }
    }
  }

  @Test
  void shouldDropSctpOfWhichTheChecksumWouldBeOutside() {
    byte[] whole = Frame.unhex(SctpFrames.INITS.getFirst());
    int[][] lies = {{20, 8}, {34 + 16, 8}, {whole.length - 11, 8}, {whole.length - 10, 8}};
    boolean[] dropped = {true, false, true, true};
    for (int k = 0; k < lies.length; k++) {
      try (Frame frame = Frame.of(whole, 64)) {
        receive(frame, header(1, 0, 0, 0, lies[k][0], lies[k][1]));
        assertEquals(dropped[k], v.verdict[0] == Verdict.DROP, "start " + lies[k][0]);
      }
    }
  }

  /** Random headers on real frames: dropped, or cut without a byte read or written outside. */
  @Test
  void shouldSurviveAnyHeader() {
    long seed = Long.getLong("gatun.test.seed", System.nanoTime());
    System.out.println("gatun.test.seed=" + seed);
    Random random = new Random(seed);
    byte[] good = segment().bytes();
    int went = 0;
    for (int round = 0; round < 20_000; round++) {
      byte[] header = header(1, 1, 54, 1 + random.nextInt(3000), 34, 16);
      int spoilt = random.nextInt(4);
      for (int k = 0; k < spoilt; k++) {
        header[random.nextInt(ROOM)] = (byte) random.nextInt(256);
      }
      byte[] bytes = java.util.Arrays.copyOf(good, 14 + random.nextInt(good.length - 13));
      if (random.nextInt(3) != 0) {
        bytes = good.clone();
      }
      if (random.nextInt(3) == 0) {
        bytes[random.nextInt(Math.min(54, bytes.length))] ^= (byte) (1 << random.nextInt(8));
      }
      try (Frame frame = Frame.of(bytes, 64)) {
        receive(frame, header);
        if (v.verdict[0] == Verdict.CONTINUE) {
          went += v.segmentSize[0] != 0 ? 1 : 0;
          cut();
        }
      }
    }
    assertTrue(went > 1000, "went on: " + went);
  }

  private void cut() {
    Segmenter segmenter = new Segmenter();
    segmenter.begin(v, 0);
    int room = segmenter.bytes();
    try (Frame to = Frame.of(new byte[room])) {
      int payload = 0;
      int headers = room - Math.min(v.segmentSize[0], v.length[0]);
      while (segmenter.more()) {
        int bytes = segmenter.next(to.address());
        assertTrue(bytes <= room);
        payload += bytes - headers;
        if ((v.flags[0] & PacketVector.PARTIAL_CHECKSUM) != 0) {
          int l4 = v.l4[0];
          Checksum.complete(to.address() + l4, bytes - l4, v.csumOffset[0]);
        }
      }
      assertTrue(payload >= 0);
    }
  }
}
