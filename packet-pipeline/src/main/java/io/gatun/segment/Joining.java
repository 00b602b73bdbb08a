package io.gatun.segment;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.frame.FramePool;

/**
 * One run of TCP packets that is being joined: the rules are those of the kernel's GRO
 * (net/ipv4/tcp_offload.c). Belongs to one stage.
 *
 * <p>The first packet gives the headers. Others follow in sequence with the same headers but for
 * length, IPv4 identification, PSH and checksum; all but the last are as long as the first. A
 * packet whose checksum is wrong is never joined: it goes on as it is, for the receiver to see.
 */
final class Joining {
  private static final int ECE = 0x40;

  /** Beside these, no flag may be set in what is joined. */
  private static final int PLAIN = Tcp.ACK | Tcp.PSH | ECE;

  /** Where packets start in a super-frame: as every port leaves it. */
  private static final int HEADROOM = 256;

  private static final int LARGEST_PACKET = 65_535;
  private static final int UNJOINABLE = PacketVector.FIRST_FRAGMENT | PacketVector.LATER_FRAGMENT;

  private final FramePool pool;
  private final FramePool superFrames;
  private int first;
  private int headers;
  private int segmentSize;
  private int nextSequence;
  private int bytes;
  private boolean full;
  private boolean grown;

  Joining(FramePool pool, FramePool superFrames) {
    this.pool = pool;
    this.superFrames = superFrames;
  }

  /** Whether others may follow packet {@code i}. */
  static boolean mayStart(PacketVector v, int i) {
    return joinable(v, i) && (Tcp.flags(v.address[i] + v.l4[i]) & Tcp.PSH) == 0;
  }

  private static boolean joinable(PacketVector v, int i) {
    long l3 = v.address[i] + v.l3[i];
    long l4 = v.address[i] + v.l4[i];
    int network = v.l4[i] - v.l3[i];
    int flags = Tcp.flags(l4);
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    return v.segmentSize[i] == 0
        && (v.flags[i] & UNJOINABLE) == 0
        && network == (six ? Ipv6.HEADER : Ipv4.HEADER)
        // Without DF the identification counts for reassembly, and ours would be invented.
        && (six || Ipv4.fragment(l3) == Ipv4.DONT_FRAGMENT)
        && (flags & Tcp.ACK) != 0
        && (flags & ~PLAIN) == 0
        && v.l4Length[i] > Tcp.headerBytes(l4);
  }

  void start(PacketVector v, int i) {
    long l4 = v.address[i] + v.l4[i];
    first = i;
    headers = v.l4[i] + Tcp.headerBytes(l4);
    segmentSize = v.length[i] - headers;
    nextSequence = Tcp.sequence(l4) + segmentSize;
    bytes = v.length[i];
    full = false;
    grown = false;
  }

  boolean sameConnection(PacketVector v, int i) {
    int f = first;
    if (v.ports[i] != v.ports[f] || v.outPort[i] != v.outPort[f]) {
      return false;
    }
    long a = v.address[f] + v.l3[f];
    long b = v.address[i] + v.l3[i];
    if ((v.flags[f] & PacketVector.IPV6) == 0) {
      return (v.flags[i] & PacketVector.IPV6) == 0
          && Memory.getLong(a + Ipv4.SOURCE) == Memory.getLong(b + Ipv4.SOURCE);
    }
    return (v.flags[i] & PacketVector.IPV6) != 0 && same(a + Ipv6.SOURCE, b + Ipv6.SOURCE, 32);
  }

  /** Joins packet {@code i}; false, with nothing changed, when it cannot be. */
  boolean join(PacketVector v, int i) {
    long l4 = v.address[i] + v.l4[i];
    int payload = v.length[i] - headers;
    if (full
        || !joinable(v, i)
        || payload <= 0
        || payload > segmentSize
        || Tcp.sequence(l4) != nextSequence
        || bytes + payload - v.l3[i] > LARGEST_PACKET
        || !sameHeaders(v, i)
        || !intact(v, i)
        || !grow(v)) {
      return false;
    }
    Memory.copy(v.address[i] + headers, v.address[first] + bytes, payload);
    int push = Tcp.flags(l4) & Tcp.PSH;
    if (push != 0) {
      long flags = v.address[first] + v.l4[first] + Tcp.FLAGS;
      Memory.putByte(flags, Memory.getByte(flags) | push);
    }
    bytes += payload;
    nextSequence += payload;
    full = push != 0 || payload < segmentSize;
    v.verdict[i] = Verdict.JOINED;
    return true;
  }

  /** Whether nothing may follow any more. */
  boolean full() {
    return full;
  }

  private boolean sameHeaders(PacketVector v, int i) {
    int f = first;
    long a = v.address[f];
    long b = v.address[i];
    int l3 = v.l3[f];
    int l4 = v.l4[f];
    if (v.l3[i] != l3 || v.l4[i] != l4 || !same(a, b, l3)) {
      return false;
    }
    boolean network =
        (v.flags[f] & PacketVector.IPV6) == 0
            // version, length of header, TOS; TTL and protocol
            ? Memory.getShort(a + l3) == Memory.getShort(b + l3)
                && Memory.getShort(a + l3 + Ipv4.TTL) == Memory.getShort(b + l3 + Ipv4.TTL)
            // version, class, flow label; next header and hop limit
            : Memory.getInt(a + l3) == Memory.getInt(b + l3)
                && Memory.getShort(a + l3 + Ipv6.NEXT_HEADER)
                    == Memory.getShort(b + l3 + Ipv6.NEXT_HEADER);
    int flags = Tcp.flags(a + l4) ^ Tcp.flags(b + l4);
    return network
        && (flags & ~Tcp.PSH) == 0
        && Tcp.acknowledgment(a + l4) == Tcp.acknowledgment(b + l4)
        && Memory.getByte(a + l4 + Tcp.DATA_OFFSET) == Memory.getByte(b + l4 + Tcp.DATA_OFFSET)
        && Tcp.window(a + l4) == Tcp.window(b + l4)
        && same(a + l4 + Tcp.HEADER, b + l4 + Tcp.HEADER, headers - l4 - Tcp.HEADER);
  }

  private static boolean same(long a, long b, int count) {
    int at = 0;
    for (; at + 8 <= count; at += 8) {
      if (Memory.getLong(a + at) != Memory.getLong(b + at)) {
        return false;
      }
    }
    for (; at < count; at++) {
      if (Memory.getByte(a + at) != Memory.getByte(b + at)) {
        return false;
      }
    }
    return true;
  }

  /** Whether the checksum is right, or nobody's question yet. */
  private static boolean intact(PacketVector v, int i) {
    return (v.flags[i] & PacketVector.PARTIAL_CHECKSUM) != 0
        || Checksum.correct(v.address[i] + v.l4[i], v.l4Length[i], pseudoHeader(v, i));
  }

  private static int pseudoHeader(PacketVector v, int i) {
    long l3 = v.address[i] + v.l3[i];
    return (v.flags[i] & PacketVector.IPV6) != 0
        ? Checksum.pseudoHeaderV6(l3, v.protocol[i], v.l4Length[i])
        : Checksum.pseudoHeaderV4(l3, v.protocol[i], v.l4Length[i]);
  }

  /** The first packet moves to a super-frame when a second one is there. */
  private boolean grow(PacketVector v) {
    if (grown) {
      return true;
    }
    int f = first;
    long frame = intact(v, f) ? superFrames.take() : 0;
    if (frame == 0) {
      return false;
    }
    Memory.copy(v.address[f], frame + HEADROOM, v.length[f]);
    pool.give(v.frame[f]);
    v.frame[f] = frame;
    v.address[f] = frame + HEADROOM;
    grown = true;
    return true;
  }

  /** Makes the headers say what the packet has become. */
  void seal(PacketVector v) {
    if (!grown) {
      return;
    }
    int f = first;
    long l3 = v.address[f] + v.l3[f];
    int total = bytes - v.l3[f];
    v.length[f] = bytes;
    v.l4Length[f] = bytes - v.l4[f];
    if ((v.flags[f] & PacketVector.IPV6) == 0) {
      Ipv4.updateChecksum(l3, Checksum.delta16(Ipv4.totalLength(l3), total));
      Ipv4.totalLength(l3, total);
    } else {
      Ipv6.payloadLength(l3, total - Ipv6.HEADER);
    }
    v.flags[f] |= PacketVector.PARTIAL_CHECKSUM;
    v.csumOffset[f] = Tcp.CHECKSUM;
    v.segmentSize[f] = segmentSize;
    Tcp.checksum(v.address[f] + v.l4[f], pseudoHeader(v, f));
    grown = false;
  }
}
