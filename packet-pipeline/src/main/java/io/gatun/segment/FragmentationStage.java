package io.gatun.segment;

import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ipv4;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.HoldingStage;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;

/**
 * Cuts IPv4 packets that are larger than their way out allows and may be cut ({@link
 * PacketVector#FRAGMENT}), a super-frame's segments one by one. Behind route and what holds packets
 * for it; before whatever puts headers in front. Belongs to one worker.
 *
 * <p>The first piece takes the packet's place in the vector, the others are appended. What finds no
 * room there waits for the next vectors, up to one vector altogether; what would never fit, or
 * finds no frames, is dropped as {@link DropReason#TOO_BIG}.
 */
public final class FragmentationStage implements HoldingStage, AutoCloseable {
  /** Where packets start in a frame: as every port leaves it. */
  private static final int HEADROOM = 256;

  private static final int SEND_OR_HOST = 1 << Verdict.SEND | 1 << Verdict.HOST;
  private static final int NO_LONGER =
      ~(PacketVector.FRAGMENT
          | PacketVector.PARTIAL_CHECKSUM
          | PacketVector.FIRST_FRAGMENT
          | PacketVector.LATER_FRAGMENT);

  private final FramePool pool;
  private final Segmenter segmenter = new Segmenter();
  private final Fragmenter fragmenter = new Fragmenter();

  /** One segment, before it is cut. */
  private final NativeArea segment = NativeArea.map("segment to cut", FrameDepot.SUPER_FRAME);

  private final long[] frames = new long[PacketVector.CAPACITY];
  private PacketVector waiting = new PacketVector();
  private PacketVector left = new PacketVector();
  private int used;

  /** Pieces get frames of {@code pool}. */
  public FragmentationStage(FramePool pool) {
    this.pool = pool;
  }

  @Override
  public boolean due() {
    return waiting.size != 0;
  }

  @Override
  public void process(PacketVector v) {
    int size = v.size;
    if (waiting.size != 0) {
      release(v);
    }
    if (!v.mayHave(PacketVector.FRAGMENT)) {
      return;
    }
    for (int i = 0; i < size; i++) {
      if ((v.flags[i] & PacketVector.FRAGMENT) != 0 && (1 << v.verdict[i] & SEND_OR_HOST) != 0) {
        int pieces = pieces(v, i);
        if (pieces > PacketVector.CAPACITY || waiting.size == PacketVector.CAPACITY) {
          v.drop(i, DropReason.TOO_BIG);
        } else if (pieces <= PacketVector.CAPACITY - v.size + 1) {
          cut(v, i, pieces);
        } else {
          waiting.append(v, i);
          waiting.flow[waiting.size - 1] = 0; // its entry may be another flow's by then
          v.verdict[i] = Verdict.HELD;
        }
      }
    }
  }

  private void release(PacketVector v) {
    left.size = 0;
    for (int k = 0; k < waiting.size; k++) {
      int pieces = pieces(waiting, k);
      if (left.size == 0 && pieces <= PacketVector.CAPACITY - v.size) {
        v.append(waiting, k);
        cut(v, v.size - 1, pieces);
      } else {
        left.append(waiting, k);
      }
    }
    PacketVector empty = waiting;
    waiting = left;
    left = empty;
  }

  private static int pieces(PacketVector v, int i) {
    int header = v.l4[i] - v.l3[i];
    int whole = v.l4Length[i];
    int size = v.segmentSize[i];
    if (size == 0) {
      return Fragmenter.pieces(header, whole, v.mtu[i]);
    }
    int l4Header = Segmenter.l4Header(v, i);
    int segments = (whole - l4Header + size - 1) / size;
    int each = Fragmenter.pieces(header, l4Header + size, v.mtu[i]);
    return each > PacketVector.CAPACITY ? each : segments * each;
  }

  /** Packet {@code i} becomes at most {@code most} pieces; it has that much room. */
  private void cut(PacketVector v, int i, int most) {
    int taken = take(Fragmenter.largest(v.mtu[i]), most);
    if (taken < most) {
      giveBack(0, taken);
      v.drop(i, DropReason.TOO_BIG);
      return;
    }
    used = 0;
    long source = v.address[i];
    long gone = v.frame[i];
    int l4 = v.l4[i];
    int flags = v.flags[i];
    boolean partial = (flags & PacketVector.PARTIAL_CHECKSUM) != 0;
    if (v.segmentSize[i] == 0) {
      if (partial) {
        Checksum.complete(source + l4, v.l4Length[i], v.csumOffset[i]);
      }
      pieces(v, i, source, flags);
    } else {
      segmenter.begin(v, i);
      while (segmenter.more()) {
        int bytes = segmenter.next(segment.address());
        Checksum.complete(segment.address() + l4, bytes - l4, v.csumOffset[i]);
        pieces(v, i, segment.address(), flags);
      }
    }
    v.made += used - 1;
    giveBack(used, taken);
    pool.give(gone);
  }

  private void pieces(PacketVector v, int i, long source, int flags) {
    int l3 = v.l3[i];
    fragmenter.begin(source, l3, v.mtu[i]);
    while (fragmenter.more()) {
      long frame = frames[used];
      int bytes = fragmenter.next(frame + HEADROOM);
      int at = i;
      if (used != 0) {
        v.append(v, i);
        at = v.size - 1;
      }
      used++;
      v.frame[at] = frame;
      v.address[at] = frame + HEADROOM;
      v.length[at] = bytes;
      v.l4Length[at] = bytes - v.l4[i];
      v.segmentSize[at] = 0;
      v.flags[at] = flags & NO_LONGER | kind(frame + HEADROOM + l3);
    }
  }

  private static int kind(long ip) {
    int word = Ipv4.fragment(ip);
    if ((word & Ipv4.FRAGMENT_OFFSET) != 0) {
      return PacketVector.LATER_FRAGMENT;
    }
    return (word & Ipv4.MORE_FRAGMENTS) != 0 ? PacketVector.FIRST_FRAGMENT : 0;
  }

  /** Takes {@code count} frames with room for {@code bytes}; returns how many there were. */
  private int take(int bytes, int count) {
    FramePool from = bytes <= pool.depot().frameBytes() - HEADROOM ? pool : pool.superFrames();
    return from == null ? 0 : from.take(frames, count);
  }

  private void giveBack(int from, int to) {
    for (int k = from; k < to; k++) {
      pool.give(frames[k]);
    }
  }

  @Override
  public void close() {
    segment.close();
  }
}
