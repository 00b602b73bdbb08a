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

  private final TunnelTable tunnels;
  private int identification;

  public EncapStage(TunnelTable tunnels) {
    this.tunnels = tunnels;
  }

  @Override
  public void process(PacketVector v) {
    if (!v.mayHave(PacketVector.TUNNEL)) {
      return;
    }
    for (int i = 0, size = v.size; i < size; i++) {
      if ((v.flags[i] & PacketVector.TUNNEL) != 0
          && (v.verdict[i] == Verdict.SEND || v.verdict[i] == Verdict.ANSWER)) {
        encapsulate(v, i, tunnels.line(v.tunnel[i]));
      }
    }
  }

  private void encapsulate(PacketVector v, int i, long line) {
    int headers = Template.bytes(line);
    if (headers == 0) {
      v.drop(i, DropReason.NO_TUNNEL);
      return;
    }
    if (v.segmentSize[i] != 0 || v.address[i] - v.frame[i] < headers + TX_METADATA) {
      v.drop(i, DropReason.UNSUPPORTED_OFFLOAD);
      return;
    }
    long inner = v.address[i];
    int flags = v.flags[i];
    if ((flags & PacketVector.PARTIAL_CHECKSUM) != 0) {
      Checksum.complete(inner + v.l4[i], v.l4Length[i], v.csumOffset[i]);
    }
    int ecn = Ecn.of(inner + v.l3[i], (flags & PacketVector.IPV6) != 0);
    long outer = inner - headers;
    Memory.copy(line, outer, headers);
    int bytes = v.length[i] + headers - Ethernet.HEADER;
    long udp = inner - Vxlan.HEADER - Udp.HEADER;
    int udpBytes = v.length[i] + Vxlan.HEADER + Udp.HEADER;
    Udp.sourcePort(udp, FIRST_SOURCE_PORT | (v.hash[i] ^ v.hash[i] >>> 16) & SOURCE_PORTS);
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
