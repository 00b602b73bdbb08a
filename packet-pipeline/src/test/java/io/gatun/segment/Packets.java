package io.gatun.segment;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.Checksum;
import io.gatun.packet.Frame;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A vector in real frames: what is added is parsed and on its way to port 1, which joins. */
final class Packets implements AutoCloseable {
  static final int HEADROOM = 256;
  private static final int SMALL = 640;
  private static final int SUPER = 80;
  private static final boolean[] PARTIAL = {true};

  final PacketVector vector = new PacketVector();
  private final NativeArea small = NativeArea.map("small", SMALL * 2048L);
  private final NativeArea large = NativeArea.map("large", SUPER * (long) FrameDepot.SUPER_FRAME);
  private final FrameDepot smallDepot = new FrameDepot(small.address(), 2048, SMALL);
  private final FrameDepot largeDepot =
      new FrameDepot(large.address(), FrameDepot.SUPER_FRAME, SUPER);
  private final FramePool pool = new FramePool(smallDepot, largeDepot);
  private final FramePool supers = Objects.requireNonNull(pool.superFrames());
  private final ParseStage parse = new ParseStage(PARTIAL);

  void add(byte[] frame, int segmentSize) {
    long start = frame.length > 1792 ? supers.take() : pool.take();
    Memory.copyIn(frame, 0, start + HEADROOM, frame.length);
    int i = vector.size;
    vector.append(start, start + HEADROOM, frame.length, 0);
    if (segmentSize != 0) {
      boolean tcp = frame[12] == 8 ? frame[23] == 6 : frame[20] == 6;
      vector.flags[i] = PacketVector.PARTIAL_CHECKSUM;
      vector.csumStart[i] = frame[12] == 8 ? 34 : 54;
      vector.csumOffset[i] = tcp ? Tcp.CHECKSUM : Udp.CHECKSUM;
      vector.segmentSize[i] = segmentSize;
    }
    parse.process(vector);
    if (vector.verdict[i] != Verdict.CONTINUE) {
      throw new AssertionError("parse dropped it: " + vector.dropReason[i]);
    }
    vector.verdict[i] = Verdict.SEND;
    vector.outPort[i] = 1;
  }

  CoalesceStage stage() {
    return new CoalesceStage(new boolean[] {false, true}, pool, supers);
  }

  FramePool pool() {
    return pool;
  }

  void coalesce() {
    stage().process(vector);
  }

  /** The segments of packet {@code i}, as a device would have completed them. */
  List<byte[]> cut(int i) {
    List<byte[]> segments = new ArrayList<>();
    Segmenter segmenter = new Segmenter();
    segmenter.begin(vector, i);
    long frame = supers.take();
    while (segmenter.more()) {
      int bytes = segmenter.next(frame + HEADROOM);
      int l4 = vector.l4[i];
      if (partial(i) != 0) {
        Checksum.complete(frame + HEADROOM + l4, bytes - l4, vector.csumOffset[i]);
      }
      segments.add(Frame.bytes(frame + HEADROOM, bytes));
    }
    pool.give(frame);
    return segments;
  }

  /** Whether an IPv4 TCP frame's checksums are right. */
  boolean valid(byte[] frame) {
    try (Frame copy = Frame.of(frame)) {
      long l3 = copy.address() + 14;
      int bytes = frame.length - 34;
      return Ipv4.checksumCorrect(l3)
          && Checksum.correct(l3 + 20, bytes, Checksum.pseudoHeaderV4(l3, 6, bytes));
    }
  }

  int sent() {
    return count(Verdict.SEND);
  }

  int joined() {
    return count(Verdict.JOINED);
  }

  private int count(int verdict) {
    int n = 0;
    for (int i = 0; i < vector.size; i++) {
      n += vector.verdict[i] == verdict ? 1 : 0;
    }
    return n;
  }

  int partial(int i) {
    return vector.flags[i] & PacketVector.PARTIAL_CHECKSUM;
  }

  int payload(int i) {
    return vector.l4Length[i] - Tcp.headerBytes(vector.address[i] + vector.l4[i]);
  }

  byte[] bytes(int i) {
    return Frame.bytes(vector.address[i], vector.length[i]);
  }

  @Override
  public void close() {
    small.close();
    large.close();
  }
}
