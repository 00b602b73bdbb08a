package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.LiveAreas;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.flow.FragmentStage;
import io.gatun.packet.Ethernet;
import io.gatun.packet.Frame;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Mutations;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.segment.FragmentationStage;
import io.gatun.segment.Segmenter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Frames whose headers and offload metadata a pod has made up, as a packet port hands them over,
 * through the whole pipeline and, what is still a super-frame, the segmenter. Each lies in a live
 * area of exactly its bytes and headroom.
 */
class SuperFrameFuzzTest {
  private static final int FRAMES = Mutations.frames(100_000);
  private static final int HEADROOM = 256;

  private final NodeInMemory node = new NodeInMemory(20_000);
  private final NativeArea in = NativeArea.map("super-frame", 8_192);
  private final NativeArea out = NativeArea.map("segment", 8_192);
  private final Segmenter segmenter = new Segmenter();
  private final PacketVector v = new PacketVector();
  private final Map<String, Integer> ends = new TreeMap<>();

  @AfterEach
  void close() {
    LiveAreas.add(in.address(), in.bytes());
    in.close();
    out.close();
    node.close();
    System.out.println(ends);
  }

  private static List<byte[]> corpus() {
    List<byte[]> corpus = new ArrayList<>();
    for (String[] way :
        new String[][] {
          {"10.1.0.2", "10.96.0.10"}, {"fd01::2", "fd96::10"}, {"10.1.0.2", "10.2.0.3"},
          {"10.1.0.2", "10.7.0.3"}, {"fd01::2", "fd07::3"}, {"10.1.0.2", "192.0.2.9"}
        }) {
      for (int flags : new int[] {Tcp.SYN, Tcp.ACK, Tcp.ACK | Tcp.FIN}) {
        PacketBuilder tcp = PacketBuilder.ip(way[0], way[1]).tcp(4000, 80).flags(flags);
        corpus.add(tcp.payload(1500).partialChecksum().bytes());
        corpus.add(tcp.tcpOptions(new byte[12]).bytes());
      }
      PacketBuilder udp = PacketBuilder.ip(way[0], way[1]).udp(4000, 80).payload(1200);
      corpus.add(udp.partialChecksum().bytes());
      corpus.add(PacketBuilder.ip(way[0], way[1]).echo(7, 1).payload(700).bytes());
    }
    corpus.add(
        PacketBuilder.ip("fd01::2", "fd02::3")
            .extension(IpProtocol.DESTINATION_OPTIONS, 2)
            .fragment(0, false)
            .tcp(4000, 80)
            .payload(1000)
            .partialChecksum()
            .bytes());
    return corpus;
  }

  @Test
  void shouldNeverLookBeyondAFrame() {
    node.egress();
    LiveAreas.remove(in.address());
    Mutations mutations = new Mutations(corpus());
    System.out.println("gatun.fuzz.seed=" + mutations.seed() + " gatun.fuzz.frames=" + FRAMES);
    for (int n = 0; n < FRAMES; n++) {
      byte[] frame = mutations.next();
      String what = "frame %d of seed %d".formatted(n, mutations.seed());
      try {
        send(frame, mutations.random());
      } catch (Throwable e) {
        throw new AssertionError(what + ": " + Frame.hex(frame), e);
      }
    }
    assertTrue(ends.getOrDefault("cut", 0) > FRAMES / 50, ends::toString);
  }

  private void send(byte[] frame, SplittableRandom random) {
    long end = in.address() + in.bytes();
    long start = end - frame.length - HEADROOM;
    LiveAreas.add(start, frame.length + HEADROOM);
    Memory.copyIn(frame, 0, start + HEADROOM, frame.length);
    node.nanos += 1_000_000;
    v.size = 0;
    v.append(start, start + HEADROOM, frame.length, NodeInMemory.POD);
    offload(frame.length, random);
    for (Stage stage : node.stages) {
      // Neither what needs frames of the pool, nor what keeps them longer than this one stands.
      if (!(stage instanceof FragmentationStage || stage instanceof FragmentStage)) {
        stage.process(v);
        if ((v.flags[0] & PacketVector.INNER_OFFLOAD) != 0 && v.verdict[0] == Verdict.CONTINUE) {
          v.drop(0, DropReason.UNSUPPORTED_OFFLOAD); // DecapStage, which is not on this path
        }
      }
    }
    for (int i = 0; i < v.size; i++) {
      ended(i);
    }
    LiveAreas.remove(start);
  }

  /** What io.gatun.port.packet.Offload lets through of whatever the header says. */
  private void offload(int bytes, SplittableRandom random) {
    boolean six = random.nextBoolean();
    boolean tcp = random.nextInt(3) != 0;
    int start = random.nextInt(8) == 0 ? random.nextInt(bytes + 1) : six ? 54 : 34;
    int offset = random.nextInt(8) == 0 ? random.nextInt(40) : tcp ? Tcp.CHECKSUM : Udp.CHECKSUM;
    if (start < Ethernet.HEADER || start + offset + 2 > bytes || random.nextInt(10) == 0) {
      return;
    }
    v.flags[0] = PacketVector.PARTIAL_CHECKSUM;
    v.csumStart[0] = start;
    v.csumOffset[0] = offset;
    int size = 1 + random.nextInt(random.nextInt(4) == 0 ? bytes : 600);
    if ((offset == Tcp.CHECKSUM || offset == Udp.CHECKSUM)
        && size < bytes
        && random.nextInt(4) != 0) {
      v.segmentSize[0] = size;
    }
  }

  private void ended(int i) {
    if (v.verdict[i] == Verdict.HELD) {
      throw new AssertionError("held over a frame that goes");
    }
    boolean sent = v.verdict[i] == Verdict.SEND && (v.flags[i] & PacketVector.FRAGMENT) == 0;
    if (!sent || v.segmentSize[i] == 0) {
      ends.merge(
          v.verdict[i] == Verdict.DROP ? "drop " + v.dropReason[i] : "whole", 1, Integer::sum);
      return;
    }
    ends.merge("cut", 1, Integer::sum);
    segmenter.begin(v, i);
    int most = segmenter.bytes();
    int payload = 0;
    int headers = v.l4[i] + Segmenter.l4Header(v, i);
    LiveAreas.add(out.address(), most);
    while (segmenter.more()) {
      int bytes = segmenter.next(out.address());
      assertTrue(bytes <= most && bytes > headers, "a segment of " + bytes);
      payload += bytes - headers;
    }
    LiveAreas.add(out.address(), out.bytes());
    assertEquals(v.length[i] - headers, payload);
  }
}
