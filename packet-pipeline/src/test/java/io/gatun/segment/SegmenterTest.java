package io.gatun.segment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is cut is what a stack would have sent packet by packet; joined again it is the whole. */
class SegmenterTest {
  private static final int CWR = 0x80;
  private static final byte[] TIMESTAMPS = {1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9};

  private static PacketBuilder tcp(boolean six) {
    PacketBuilder builder =
        six ? PacketBuilder.ipv6("fd00::1", "fd00::2") : PacketBuilder.ipv4("10.0.0.1", "10.0.0.2");
    return builder.tcp(40_000, 80).tcpOptions(TIMESTAMPS).acknowledgment(99).sequence(0xFFFF_FF00);
  }

  private static byte[] random(int bytes, long seed) {
    byte[] payload = new byte[bytes];
    new Random(seed).nextBytes(payload);
    return payload;
  }

  @ParameterizedTest
  @CsvSource({
    "false, 1228, 60000", "false, 1448, 1449", "false, 8948, 65000", "false, 1448, 14480",
    "true, 1208, 60000", "true, 1428, 1429", "true, 8928, 65000", "true, 1428, 1428"
  })
  void shouldCutWhatAStackWouldHaveSent(boolean six, int mss, int bytes) {
    byte[] payload = random(bytes, mss);
    int all = Tcp.ACK | Tcp.PSH | Tcp.FIN | CWR;
    try (Packets packets = new Packets()) {
      packets.add(tcp(six).flags(all).payload(payload).partialChecksum().bytes(), mss);
      List<byte[]> segments = packets.cut(0);
      int count = (bytes + mss - 1) / mss;
      assertEquals(count, segments.size());
      for (int k = 0; k < count; k++) {
        int at = k * mss;
        int flags = Tcp.ACK;
        flags |= k == 0 ? CWR : 0;
        flags |= k == count - 1 ? Tcp.PSH | Tcp.FIN : 0;
        byte[] expected =
            tcp(six)
                .identification(0x1234 + k)
                .sequence(0xFFFF_FF00 + at)
                .flags(flags)
                .payload(Arrays.copyOfRange(payload, at, Math.min(bytes, at + mss)))
                .bytes();
        assertArrayEquals(expected, segments.get(k), "segment " + k);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void shouldCutDatagrams(boolean six) {
    byte[] payload = random(5000, 1);
    String from = six ? "fd00::1" : "10.0.0.1";
    String to = six ? "fd00::2" : "10.0.0.2";
    try (Packets packets = new Packets()) {
      packets.add(
          PacketBuilder.ip(from, to).udp(1, 2).payload(payload).partialChecksum().bytes(), 1200);
      List<byte[]> segments = packets.cut(0);
      assertEquals(5, segments.size());
      for (int k = 0; k < 5; k++) {
        byte[] part = Arrays.copyOfRange(payload, k * 1200, Math.min(5000, (k + 1) * 1200));
        assertArrayEquals(
            PacketBuilder.ip(from, to).identification(0x1234 + k).udp(1, 2).payload(part).bytes(),
            segments.get(k));
      }
    }
  }

  @Test
  void shouldMoveAnOrdinaryPacketAsItIs() {
    byte[] frame = tcp(false).payload(100).bytes();
    try (Packets packets = new Packets()) {
      packets.add(frame, 0);
      List<byte[]> out = packets.cut(0);
      assertEquals(1, out.size());
      assertArrayEquals(frame, out.get(0));
    }
  }

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void shouldJoinWhatWasCut(boolean six, boolean partial) {
    byte[] payload = random(30_000, 5);
    try (Packets packets = new Packets()) {
      List<byte[]> pieces = new ArrayList<>();
      for (int at = 0; at < payload.length; at += 1428) {
        int end = Math.min(payload.length, at + 1428);
        PacketBuilder piece =
            tcp(six)
                .identification(7 + at / 1428)
                .sequence(0xFFFF_FF00 + at)
                .flags(end == payload.length ? Tcp.ACK | Tcp.PSH : Tcp.ACK)
                .payload(Arrays.copyOfRange(payload, at, end));
        pieces.add(partial ? piece.partialChecksum().bytes() : piece.bytes());
      }
      pieces.forEach(piece -> packets.add(piece, 0));
      packets.coalesce();
      assertEquals(1, packets.sent());
      assertEquals(pieces.size() - 1, packets.joined());
      byte[] whole =
          tcp(six)
              .identification(7)
              .flags(Tcp.ACK | Tcp.PSH)
              .payload(payload)
              .partialChecksum()
              .bytes();
      assertArrayEquals(whole, packets.bytes(0));
      assertEquals(1428, packets.vector.segmentSize[0]);
      assertEquals(PacketVector.PARTIAL_CHECKSUM, packets.partial(0));
    }
  }

  /** Everything that ends a run; what is not joined stays as it was, in its order. */
  @Test
  void shouldNotJoinWhatDoesNotFollow() {
    byte[] base = tcp(false).sequence(1000).payload(100).bytes();
    byte[][] others = {
      tcp(false).sequence(1101).payload(100).bytes(), // a gap
      tcp(false).sequence(1000).payload(100).bytes(), // again
      tcp(false).sequence(1100).payload(101).bytes(), // longer than the first
      tcp(false).sequence(1100).payload(100).acknowledgment(98).bytes(),
      tcp(false).sequence(1100).payload(100).window(1).bytes(),
      tcp(false).sequence(1100).payload(100).ttl(63).bytes(),
      tcp(false).sequence(1100).payload(100).tos(3).bytes(),
      tcp(false).sequence(1100).payload(100).dontFragment(false).bytes(),
      tcp(false).sequence(1100).payload(100).tcpOptions(new byte[12]).bytes(),
      tcp(false).sequence(1100).payload(100).options(4).bytes(),
      tcp(false).sequence(1100).payload(100).checksum(0x1234).bytes(), // damaged
      tcp(false).sequence(1100).payload(100).flags(Tcp.ACK | Tcp.FIN).bytes(),
      tcp(false).sequence(1100).payload(100).flags(Tcp.ACK | Tcp.URG).bytes(),
      tcp(false).sequence(1100).payload(100).flags(Tcp.ACK | CWR).bytes(),
      tcp(false).sequence(1100).payload(0).bytes(),
      PacketBuilder.ipv4("10.0.0.1", "10.0.0.3").tcp(40_000, 80).sequence(1100).payload(9).bytes(),
      PacketBuilder.ipv4("10.0.0.1", "10.0.0.2").tcp(40_001, 80).sequence(1100).payload(9).bytes(),
    };
    for (byte[] other : others) {
      try (Packets packets = new Packets()) {
        packets.add(base, 0);
        packets.add(other, 0);
        packets.coalesce();
        assertEquals(2, packets.sent());
        assertArrayEquals(base, packets.bytes(0));
        assertArrayEquals(other, packets.bytes(1));
      }
    }
  }

  @Test
  void shouldNotLetAnythingOvertake() {
    try (Packets packets = new Packets()) {
      packets.add(tcp(false).sequence(1000).payload(100).bytes(), 0);
      packets.add(tcp(false).sequence(1100).payload(100).bytes(), 0);
      packets.add(tcp(false).sequence(1200).payload(0).bytes(), 0); // bare: ends the run
      packets.add(tcp(false).sequence(1200).payload(100).bytes(), 0);
      packets.add(tcp(false).sequence(1300).payload(50).bytes(), 0); // shorter: the last
      packets.add(tcp(false).sequence(1350).payload(50).bytes(), 0);
      packets.coalesce();
      int[] verdict = Arrays.copyOf(packets.vector.verdict, 6);
      assertArrayEquals(
          new int[] {
            Verdict.SEND, Verdict.JOINED, Verdict.SEND, Verdict.SEND, Verdict.JOINED, Verdict.SEND
          },
          verdict);
      assertEquals(200, packets.payload(0));
      assertEquals(150, packets.payload(3));
    }
  }

  /** Random bursts of several streams: cut, joined or neither, every stream is the same bytes. */
  @Test
  void shouldNeverChangeAStream() {
    long seed = Long.getLong("gatun.test.seed", System.nanoTime());
    System.out.println("gatun.test.seed=" + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      try (Packets packets = new Packets()) {
        int[] next = {random.nextInt(), random.nextInt(), random.nextInt()};
        String[] sent = {"", "", ""};
        String[] arrived = {"", "", ""};
        for (int k = 0; k < 60; k++) {
          int stream = random.nextInt(3);
          int size = random.nextInt(4) == 0 ? 1 + random.nextInt(300) : 200;
          byte[] payload = random(size, random.nextLong());
          int flags = Tcp.ACK | (random.nextInt(8) == 0 ? Tcp.PSH : 0);
          packets.add(
              PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
                  .tcp(1000 + stream, 80)
                  .sequence(next[stream])
                  .flags(flags)
                  .payload(payload)
                  .bytes(),
              0);
          sent[stream] += Arrays.toString(payload);
          next[stream] += size;
        }
        packets.coalesce();
        for (int i = 0; i < packets.vector.size; i++) {
          if (packets.vector.verdict[i] == Verdict.SEND) {
            for (byte[] segment : packets.cut(i)) {
              int stream = ((segment[34] & 0xFF) << 8 | segment[35] & 0xFF) - 1000;
              arrived[stream] += Arrays.toString(Arrays.copyOfRange(segment, 54, segment.length));
              assertTrue(packets.valid(segment));
            }
          }
        }
        assertArrayEquals(sent, arrived);
        assertFalse(packets.joined() == 0 && round > 100);
      }
    }
  }
}
