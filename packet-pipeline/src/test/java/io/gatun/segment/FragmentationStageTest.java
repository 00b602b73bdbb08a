package io.gatun.segment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Frame;
import io.gatun.packet.Ipv4;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is cut is put together again, and must be what it was. */
class FragmentationStageTest {
  private final Packets packets = new Packets();
  private final PacketVector v = packets.vector;
  private final FragmentationStage stage = new FragmentationStage(packets.pool());

  @AfterEach
  void close() {
    stage.close();
    packets.close();
  }

  private static PacketBuilder datagram(int payload) {
    return PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
        .dontFragment(false)
        .identification(4711)
        .udp(1000, 2000)
        .payload(payload);
  }

  private void add(byte[] frame, int segmentSize, int mtu) {
    packets.add(frame, segmentSize);
    v.flags[v.size - 1] |= PacketVector.FRAGMENT;
    v.mtu[v.size - 1] = mtu;
  }

  private List<byte[]> sent(int mtu) {
    List<byte[]> frames = new ArrayList<>();
    for (int i = 0; i < v.size; i++) {
      assertEquals(Verdict.SEND, v.verdict[i]);
      assertTrue(v.length[i] - 14 <= mtu, "piece of " + v.length[i]);
      assertEquals(0, v.segmentSize[i]);
      frames.add(packets.bytes(i));
    }
    return frames;
  }

  /** The datagram that these fragments are of, with a header as the first one's. */
  private static byte[] reassembled(List<byte[]> fragments) {
    byte[] whole = new byte[70_000];
    int end = 0;
    int pieces = 0;
    for (byte[] fragment : fragments) {
      try (Frame frame = Frame.of(fragment)) {
        long ip = frame.address() + 14;
        assertTrue(Ipv4.checksumCorrect(ip));
        int header = 14 + Ipv4.headerBytes(ip);
        int offset = Ipv4.fragmentOffset(ip);
        int bytes = fragment.length - header;
        assertEquals(fragment.length - 14, Ipv4.totalLength(ip));
        System.arraycopy(fragment, header, whole, header + offset, bytes);
        boolean more = (Ipv4.fragment(ip) & Ipv4.MORE_FRAGMENTS) != 0;
        assertTrue(!more || bytes % 8 == 0);
        pieces += bytes;
        if (!more) {
          end = header + offset + bytes;
        }
        if (offset == 0) {
          System.arraycopy(fragment, 0, whole, 0, header);
        }
      }
    }
    byte[] datagram = Arrays.copyOf(whole, end);
    try (Frame frame = Frame.of(datagram)) {
      long ip = frame.address() + 14;
      assertEquals(end - 14 - Ipv4.headerBytes(ip), pieces, "gaps or overlaps");
      Ipv4.totalLength(ip, end - 14);
      unfragmented(ip);
      return frame.bytes();
    }
  }

  private static void unfragmented(long ip) {
    Memory.putShortBe(ip + Ipv4.FRAGMENT, 0);
    Ipv4.computeChecksum(ip);
  }

  @Test
  void shouldCutIntoPiecesThatMakeTheDatagramAgain() {
    Random random = new Random(8);
    for (int round = 0; round < 300; round++) {
      int mtu = 68 + random.nextInt(1500);
      int payload = mtu + random.nextInt(3000);
      PacketBuilder in = datagram(payload);
      if (random.nextInt(4) == 0) {
        in.options(4 * (1 + random.nextInt(5)));
      }
      v.size = 0;
      v.made = 0;
      add(in.bytes(), 0, mtu);
      stage.process(v);
      List<byte[]> pieces = sent(mtu);
      assertEquals(pieces.size() - 1, v.made);
      assertArrayEquals(in.bytes(), reassembled(pieces), "round " + round);
      assertEquals(PacketVector.FIRST_FRAGMENT, v.flags[0]);
      assertEquals(PacketVector.LATER_FRAGMENT, v.flags[v.size - 1]);
      free();
    }
  }

  @Test
  void shouldCutFragmentsAgain() {
    byte[] first =
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
            .fragment(0, true)
            .identification(1)
            .udp(1, 2)
            .payload(1392)
            .bytes();
    byte[] second =
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
            .fragment(1400, false)
            .identification(1)
            .protocol(17)
            .payload(1201)
            .bytes();
    add(first, 0, 600);
    add(second, 0, 600);
    stage.process(v);
    List<byte[]> pieces = sent(600);
    assertEquals(6, pieces.size());
    assertEquals(14 + 20 + 1400 + 1201, reassembled(pieces).length);
  }

  @Test
  void shouldCutTheSegmentsOfASuperFrame() {
    PacketBuilder in =
        PacketBuilder.ipv4("10.0.0.1", "10.0.0.2")
            .dontFragment(false)
            .identification(100)
            .tcp(1000, 80)
            .flags(Tcp.ACK | Tcp.PSH)
            .payload(5000)
            .partialChecksum();
    add(in.bytes(), 1460, 1000);
    stage.process(v);
    List<byte[]> pieces = sent(1000);
    assertEquals(7, pieces.size(), "two for each of three segments, one for the rest");
    for (int segment = 0; segment < 4; segment++) {
      byte[] whole = reassembled(pieces.subList(2 * segment, Math.min(2 * segment + 2, 7)));
      try (Frame frame = Frame.of(whole)) {
        long ip = frame.address() + 14;
        int bytes = whole.length - 34;
        assertTrue(Checksum.correct(ip + 20, bytes, Checksum.pseudoHeaderV4(ip, 6, bytes)));
        assertEquals(100 + segment, Ipv4.identification(ip));
      }
    }
  }

  @Test
  void shouldCompleteAPartialChecksumBeforeItCuts() {
    byte[] expected = datagram(2000).bytes();
    byte[] partial = datagram(2000).partialChecksum().bytes();
    add(partial, 0, 1000);
    v.flags[0] |= PacketVector.PARTIAL_CHECKSUM;
    v.csumOffset[0] = 6;
    stage.process(v);
    assertArrayEquals(expected, reassembled(sent(1000)));
  }

  /** RFC 791: record route is in the first fragment only, loose source route in all. */
  @Test
  void shouldCopyOnlyTheOptionsThatAreToBe() {
    byte recordRoute = 7;
    byte looseSource = (byte) 131;
    byte[] in =
        datagram(200)
            .options(
                recordRoute,
                (byte) 3,
                (byte) 4,
                looseSource,
                (byte) 3,
                (byte) 4,
                (byte) 1,
                (byte) 0)
            .bytes();
    add(in, 0, 128);
    stage.process(v);
    byte[] later = sent(128).getLast();
    assertArrayEquals(
        new byte[] {1, 1, 1, looseSource, 3, 4, 1, 0}, Arrays.copyOfRange(later, 34, 42));
    byte[] first = sent(128).getFirst();
    assertEquals(recordRoute, first[34]);
  }

  @Test
  void shouldLetWaitWhatTheVectorHasNoRoomFor() {
    for (int i = 0; i < 160; i++) {
      packets.add(datagram(10).bytes(), 0);
    }
    for (int i = 0; i < 9; i++) {
      add(datagram(1400).bytes(), 0, 108); // 16 pieces
    }
    int frames = v.size;
    int out = 0;
    int made = 0;
    for (int cycle = 0; cycle == 0 || stage.due(); cycle++) {
      v.made = 0;
      stage.process(v);
      made += v.made;
      for (int i = 0; i < v.size; i++) {
        out += v.verdict[i] == Verdict.SEND ? 1 : 0;
      }
      free();
      v.size = 0;
      if (cycle == 0) { // the next vector is nearly full
        for (int i = 0; i < 40; i++) {
          packets.add(datagram(10).bytes(), 0);
          frames++;
        }
      }
      assertTrue(cycle < 20);
    }
    assertEquals(frames + made, out);
    assertEquals(9 * 15, made);
    assertFalse(stage.due());
  }

  @Test
  void shouldDropWhatWouldNeverFit() {
    add(datagram(1400).bytes(), 0, 24);
    stage.process(v);
    assertEquals(Verdict.DROP, v.verdict[0]);
    assertEquals(DropReason.TOO_BIG.code(), v.dropReason[0]);
  }

  private void free() {
    for (int i = 0; i < v.size; i++) {
      if (v.verdict[i] != Verdict.HELD) {
        packets.pool().give(v.frame[i]);
      }
    }
  }
}
