package io.gatun.pipeline;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Icmp;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Sctp;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;

/**
 * Holds what a port said of a packet's offloads against the headers that parse has found.
 * Stateless.
 *
 * <p>Afterwards {@link PacketVector#PARTIAL_CHECKSUM} means the checksum of the TCP or UDP header
 * at {@code l4}, and {@code segmentSize} that a whole TCP or UDP header is there and more payload
 * than one segment takes, or as much.
 */
final class OffloadProof {
  private static final int FRAGMENT = PacketVector.FIRST_FRAGMENT | PacketVector.LATER_FRAGMENT;

  /**
   * A pod may write this header itself; segments of one byte would cost us 65,000 packets for its
   * one. So many of the smallest that a stack sends (tcp_min_snd_mss is 48) fill 64 KiB.
   */
  private static final int MOST_SEGMENTS = 1400;

  private OffloadProof() {}

  static void prove(PacketVector v, int i) {
    if ((v.flags[i] & PacketVector.PARTIAL_CHECKSUM) == 0) {
      return;
    }
    boolean ours = ours(v, i);
    if (v.segmentSize[i] != 0 && !ours && mayBeTunnelled(v, i)) {
      v.flags[i] = v.flags[i] & ~PacketVector.PARTIAL_CHECKSUM | PacketVector.INNER_OFFLOAD;
    } else if (v.segmentSize[i] != 0) {
      int payload = payload(v, i);
      int size = v.segmentSize[i];
      if (!ours || size > payload || payload > size * MOST_SEGMENTS) {
        v.drop(i, DropReason.UNSUPPORTED_OFFLOAD);
      }
    } else if (!ours) {
      complete(v, i);
    }
  }

  private static boolean ours(PacketVector v, int i) {
    int protocol = v.protocol[i];
    int field = protocol == IpProtocol.TCP ? Tcp.CHECKSUM : Udp.CHECKSUM;
    return (protocol == IpProtocol.TCP || protocol == IpProtocol.UDP)
        && (v.flags[i] & FRAGMENT) == 0
        && v.csumStart[i] == v.l4[i]
        && v.csumOffset[i] == field;
  }

  /** A stack hands over segments in a tunnel under one outer header; proved when that is off. */
  private static boolean mayBeTunnelled(PacketVector v, int i) {
    return v.protocol[i] == IpProtocol.UDP
        && (v.flags[i] & FRAGMENT) == 0
        && v.csumStart[i] > v.l4[i] + Udp.HEADER;
  }

  private static int payload(PacketVector v, int i) {
    return v.l4Length[i] - header(v, i);
  }

  /** Bytes at {@code l4} that parse has looked into. */
  private static int header(PacketVector v, int i) {
    if ((v.flags[i] & PacketVector.LATER_FRAGMENT) != 0) {
      return 0;
    }
    return switch (v.protocol[i]) {
      case IpProtocol.TCP -> Tcp.headerBytes(v.address[i] + v.l4[i]);
      case IpProtocol.UDP -> Udp.HEADER;
      case IpProtocol.ICMP, IpProtocol.ICMPV6 -> Icmp.HEADER;
      default -> 0;
    };
  }

  /**
   * SCTP's, or the checksum of an inner packet, of a tunnel that starts in the pod: done here and
   * now. What stands where SCTP's does is one: no other protocol has a checksum there.
   */
  private static void complete(PacketVector v, int i) {
    int start = v.csumStart[i];
    int bytes = v.length[i] - start; // length ends with the IP packet since parse
    int offset = v.csumOffset[i];
    v.flags[i] &= ~PacketVector.PARTIAL_CHECKSUM;
    v.csumOffset[i] = 0;
    // What parse has proved, a UDP length say, must not change behind its back.
    boolean sctp = offset == Sctp.CHECKSUM;
    int field = sctp ? Sctp.HEADER - Sctp.CHECKSUM : 2;
    if (start < v.l4[i] || start + offset < v.l4[i] + header(v, i) || offset + field > bytes) {
      v.drop(i, DropReason.UNSUPPORTED_OFFLOAD);
      return;
    }
    long from = v.address[i] + start;
    if (sctp) {
      Sctp.complete(from, bytes);
    } else {
      Memory.putShortBe(from + offset, Checksum.complementUdp(Checksum.sum(from, bytes)));
    }
  }
}
