package io.gatun.tunnel;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Udp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;

/**
 * Puts the outer headers before packets whose way out is a tunnel. Belongs to one worker; comes
 * after the route stage, which wrote the inner Ethernet header and named the tunnel.
 *
 * <p>A super-frame gets the headers once; its segments get them from {@link
 * io.gatun.segment.Segmenter}. What came out of a tunnel as it is now goes into none: nodes that
 * are of two minds about a pod's place would throw its packets to and fro.
 *
 * <p>The inner transport checksum is completed here whatever the pod left to its device, because
 * the other end's cannot know. Over IPv4 the outer UDP checksum is 0 (RFC 7348, 5), over IPv6 it is
 * computed: Linux drops such packets without one.
 */
public final class EncapStage implements Stage {
  /** Room that stays free in front of a frame: struct xsk_tx_metadata (linux/if_xdp.h). */
  private static final int TX_METADATA = 24;

  /** Source ports that RFC 7348 recommends: 49152 to 65535, by the inner flow's hash. */
  private static final int FIRST_SOURCE_PORT = 0xC000;

  private static final int SOURCE_PORTS = 0x3FFF;

  /** Flags of packets that need more than headers. */
  private static final int NOT_PLAIN = PacketVector.FROM_TUNNEL | PacketVector.PARTIAL_CHECKSUM;

  private final TunnelTable tunnels;
  private final TunnelCounters counters;
  private final boolean clampMss;
  private int identification;

  /** Packets that are not plain. */
  private final int[] rest = new int[PacketVector.CAPACITY];

  /**
   * A stage of one worker.
   *
   * @param clampMss whether new TCP connections are told of the tunnel's MTU
   */
  public EncapStage(TunnelTable tunnels, TunnelCounters counters, boolean clampMss) {
    this.clampMss = clampMss;
    this.tunnels = tunnels;
    this.counters = counters;
  }

  @Override
  public void process(PacketVector v) {
    if (!v.mayHave(PacketVector.TUNNEL)) {
      return;
    }
    int left = plain(v);
    for (int k = 0; k < left; k++) {
      encapsulate(v, rest[k], v.tunnel[rest[k]]);
    }
  }

  /**
   * Whole packets into IPv4 tunnels, with their checksums, by far the most, in a loop that calls
   * nothing. All others are left in {@link #rest}; returns how many.
   */
  private int plain(PacketVector v) {
    long[] address = v.address;
    long[] frames = v.frame;
    int[] length = v.length;
    int[] flags = v.flags;
    int[] l3s = v.l3;
    int[] l4s = v.l4;
    int[] protocols = v.protocol;
    int[] l4Length = v.l4Length;
    int[] segmentSize = v.segmentSize;
    int[] hash = v.hash;
    int[] verdict = v.verdict;
    int[] outPort = v.outPort;
    int[] tunnel = v.tunnel;
    int[] others = rest;
    TunnelTable table = tunnels;
    boolean clamps = clampMss;
    int identifier = identification;
    int left = 0;
    int counted = 0;
    int packets = 0;
    int bytes = 0;
    for (int i = 0, size = v.size; i < size; i++) {
      int f = flags[i];
      if ((f & PacketVector.TUNNEL) == 0
          || (verdict[i] != Verdict.SEND && verdict[i] != Verdict.ANSWER)) {
        continue;
      }
      int number = tunnel[i];
      long line = Memory.address(table.line(number));
      long inner = Memory.address(address[i]);
      if ((f & NOT_PLAIN) != 0
          || segmentSize[i] != 0
          || (clamps && protocols[i] == IpProtocol.TCP)
          || Memory.getInt(line + Template.BYTES) != Template.BYTES_4
          || inner - frames[i] < Template.BYTES_4 + TX_METADATA) {
        others[left++] = i;
        continue;
      }
      int innerBytes = length[i];
      if (number != counted) {
        counters.sent(counted, packets, bytes);
        counted = number;
        packets = 0;
        bytes = 0;
      }
      packets++;
      bytes += innerBytes;
      long l3 = inner + l3s[i];
      // The traffic class of IPv6 begins in the middle of the first byte.
      int ecn = Memory.getShortBe(l3) >>> ((f & PacketVector.IPV6) != 0 ? 4 : 0) & Ecn.MASK;
      int udpBytes = innerBytes + Vxlan.HEADER + Udp.HEADER;
      int total = udpBytes + Ipv4.HEADER;
      identifier = identifier + 1 & 0xFFFF;
      int sum = Memory.getInt(line + Template.SUM) + ecn + total + identifier;
      sum = (sum & 0xFFFF) + (sum >>> 16);
      int checksum = ~(sum + (sum >>> 16)) & 0xFFFF;
      // Where the template has zeros, to the byte: type of service; length, identification; IP
      // checksum; UDP source port, length.
      long to = inner - Template.BYTES_4;
      Memory.putLong(to, Memory.getLong(line));
      Memory.putLongBe(to + 8, Memory.getLongBe(line + 8) | ecn);
      Memory.putLongBe(
          to + 16, Memory.getLongBe(line + 16) | (long) total << 48 | (long) identifier << 32);
      Memory.putLongBe(to + 24, Memory.getLongBe(line + 24) | (long) checksum << 48);
      Memory.putLongBe(
          to + 32, Memory.getLongBe(line + 32) | (long) sourcePort(hash[i]) << 32 | udpBytes);
      Memory.putLong(to + 40, Memory.getLong(line + 40));
      Memory.putShort(to + 48, Memory.getShort(line + 48));
      address[i] = to;
      length[i] = innerBytes + Template.BYTES_4;
      l3s[i] = Ethernet.HEADER;
      l4s[i] = Ethernet.HEADER + Ipv4.HEADER;
      l4Length[i] = udpBytes;
      protocols[i] = IpProtocol.UDP;
      outPort[i] = Memory.getInt(line + Template.OUT_PORT);
      flags[i] = 0;
    }
    counters.sent(counted, packets, bytes);
    identification = identifier;
    return left;
  }

  private void encapsulate(PacketVector v, int i, int number) {
    long line = tunnels.line(number);
    int headers = Template.bytes(line);
    int flags = v.flags[i];
    if (headers == 0) {
      v.drop(i, DropReason.NO_TUNNEL);
    } else if ((flags & (PacketVector.FROM_TUNNEL | PacketVector.TRANSLATED))
        == PacketVector.FROM_TUNNEL) {
      v.drop(i, DropReason.TUNNEL_LOOP);
    } else if (v.address[i] - v.frame[i] < headers + TX_METADATA) {
      v.drop(i, DropReason.UNSUPPORTED_OFFLOAD);
    } else if (v.segmentSize[i] != 0) {
      wrapSegments(v, i, number, line, headers);
    } else {
      if (clampMss) {
        Mss.clamp(v, i, Template.mtu(line));
      }
      counters.sent(number, 1, v.length[i]);
      wrap(v, i, line, headers, flags);
    }
  }

  /** The headers that all segments have in common; lengths and checksums follow with the cut. */
  private void wrapSegments(PacketVector v, int i, int number, long line, int headers) {
    int bytes = v.l4Length[i];
    int segments = (bytes + v.segmentSize[i] - 1) / v.segmentSize[i]; // about: headers count too
    counters.sent(number, segments, v.length[i]);
    long inner = v.address[i];
    int ecn = Ecn.of(inner + v.l3[i], (v.flags[i] & PacketVector.IPV6) != 0);
    long outer = inner - headers;
    Memory.copy(line, outer, headers);
    Udp.sourcePort(inner - Vxlan.HEADER - Udp.HEADER, sourcePort(v.hash[i]));
    long l3 = outer + Ethernet.HEADER;
    if (headers == Template.BYTES_4) {
      Memory.putByte(l3 + Ipv4.TOS, Ipv4.tos(l3) | ecn);
      Memory.putShortBe(l3 + Ipv4.IDENTIFICATION, identification + 1);
      identification = identification + segments & 0xFFFF;
    } else {
      Ecn.set(l3, true, ecn);
    }
    v.address[i] = outer;
    v.length[i] += headers;
    v.l3[i] += headers;
    v.l4[i] += headers;
    v.outPort[i] = Memory.getInt(line + Template.OUT_PORT);
  }

  private static int sourcePort(int hash) {
    return FIRST_SOURCE_PORT | (hash ^ hash >>> 16) & SOURCE_PORTS;
  }

  private void wrap(PacketVector v, int i, long line, int headers, int flags) {
    long inner = v.address[i];
    if ((flags & PacketVector.PARTIAL_CHECKSUM) != 0) {
      Checksum.complete(inner + v.l4[i], v.l4Length[i], v.csumOffset[i]);
    }
    int ecn = Ecn.of(inner + v.l3[i], (flags & PacketVector.IPV6) != 0);
    long outer = inner - headers;
    Memory.copy(line, outer, headers);
    int bytes = v.length[i] + headers - Ethernet.HEADER;
    long udp = inner - Vxlan.HEADER - Udp.HEADER;
    int udpBytes = v.length[i] + Vxlan.HEADER + Udp.HEADER;
    Udp.sourcePort(udp, sourcePort(v.hash[i]));
    Memory.putShortBe(udp + Udp.LENGTH, udpBytes);
    long l3 = outer + Ethernet.HEADER;
    if (headers == Template.BYTES_4) {
      identification = (identification + 1) & 0xFFFF;
      Memory.putByte(l3 + Ipv4.TOS, Ipv4.tos(l3) | ecn);
      Memory.putShortBe(l3 + Ipv4.TOTAL_LENGTH, bytes);
      Memory.putShortBe(l3 + Ipv4.IDENTIFICATION, identification);
      long sum = (long) Memory.getInt(line + Template.SUM) + ecn + bytes + identification;
      Ipv4.checksum(l3, Checksum.complement(Checksum.fold(sum)));
      v.flags[i] = 0;
    } else {
      Ipv6.payloadLength(l3, udpBytes);
      Ecn.set(l3, true, ecn);
      int pseudoHeader = Checksum.pseudoHeaderV6(l3, IpProtocol.UDP, udpBytes);
      long sum = (long) Checksum.sum(udp, udpBytes) + pseudoHeader;
      Udp.checksum(udp, Checksum.complementUdp(Checksum.fold(sum)));
      v.flags[i] = PacketVector.IPV6;
    }
    v.address[i] = outer;
    v.length[i] += headers;
    v.l3[i] = Ethernet.HEADER;
    v.l4[i] = headers - Vxlan.HEADER - Udp.HEADER;
    v.l4Length[i] = udpBytes;
    v.protocol[i] = IpProtocol.UDP;
    v.outPort[i] = Memory.getInt(line + Template.OUT_PORT);
  }
}
