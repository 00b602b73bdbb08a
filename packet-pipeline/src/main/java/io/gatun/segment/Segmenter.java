package io.gatun.segment;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;
import io.gatun.pipeline.PacketVector;

/**
 * Cuts one super-frame after the other into segments, TCP or UDP (USO), as a NIC would. Belongs to
 * one worker.
 *
 * <pre>{@code
 * segmenter.begin(v, i);
 * while (segmenter.more()) {
 *   int bytes = segmenter.next(frame + 256);
 * }
 * }</pre>
 *
 * <p>What goes through a tunnel ({@link PacketVector#TUNNEL}) has the tunnel's headers before its
 * own: each segment gets them, with lengths, identification and checksums filled in, and its own
 * checksum is complete, because the other end's device cannot know.
 *
 * <p>Each segment has the headers of the whole with its own lengths, IPv4 identification (counting
 * up), sequence number and checksum. FIN and PSH stay on the last one, CWR on the first. Checksums
 * stay partial, with the pseudo-header's sum in the field, because the device or {@link
 * Checksum#complete} finishes them better. A packet that is no super-frame comes out as it is,
 * once: that is how it moves to a frame of another size.
 */
public final class Segmenter {
  private static final int CWR = 0x80;

  private long source;
  private int l3;
  private int l4;
  private int headers;
  private int payload;
  private int segmentSize;
  private int done;
  private int index;
  private boolean six;
  private boolean tcp;
  private boolean whole;
  private int csumOffset;
  private int l4Bytes;

  /** Bytes of a tunnel's headers before the packet: Ethernet, IP, UDP and what it says itself. */
  private int tunnel;

  /** Starts on packet {@code i}, which has been through parse and stays as it is. */
  public void begin(PacketVector v, int i) {
    source = v.address[i];
    l3 = v.l3[i];
    l4 = v.l4[i];
    six = (v.flags[i] & PacketVector.IPV6) != 0;
    tcp = v.protocol[i] == IpProtocol.TCP;
    csumOffset = v.csumOffset[i];
    l4Bytes = v.l4Length[i];
    segmentSize = v.segmentSize[i];
    whole = segmentSize == 0;
    tunnel = !whole && (v.flags[i] & PacketVector.TUNNEL) != 0 ? l3 - Ethernet.HEADER : 0;
    headers = whole ? v.length[i] : l4 + l4Header(v, i);
    payload = v.length[i] - headers;
    done = 0;
    index = 0;
  }

  /** Bytes of the transport header, TCP's or UDP's, that each segment of {@code i} will have. */
  public static int l4Header(PacketVector v, int i) {
    return v.protocol[i] == IpProtocol.TCP ? Tcp.headerBytes(v.address[i] + v.l4[i]) : Udp.HEADER;
  }

  /**
   * Bytes of packet {@code i}, from its IP header on, or of the largest segment that it becomes.
   */
  public static int largest(PacketVector v, int i) {
    int headers = v.l4[i] - v.l3[i];
    int segment = v.segmentSize[i];
    return headers + (segment == 0 ? v.l4Length[i] : l4Header(v, i) + segment);
  }

  /** Whether a segment is left. */
  public boolean more() {
    return index == 0 || done < payload;
  }

  /** Whether none was taken yet. */
  public boolean atStart() {
    return index == 0;
  }

  /** Bytes of the longest segment, which is the next one: the room it needs. */
  public int bytes() {
    return headers + Math.min(segmentSize, payload);
  }

  /** Writes the next segment to {@code to}; returns its bytes. */
  public int next(long to) {
    int size = Math.min(segmentSize, payload - done);
    Memory.copy(source, to, headers);
    if (!whole) {
      Memory.copy(source + headers + done, to + headers, size);
      boolean last = done + size == payload;
      int bytes = headers - l4 + size;
      network(to + l3, l4 - l3 + bytes);
      if (tcp) {
        stream(to + l4, last);
      } else {
        Memory.putShortBe(to + l4 + Udp.LENGTH, bytes);
      }
      long field = to + l4 + csumOffset;
      int delta = Checksum.delta16(l4Bytes, bytes);
      Memory.putShortBe(field, Checksum.updatePartial(Memory.getShortBe(field), delta));
      if (tunnel != 0) {
        Checksum.complete(to + l4, bytes, csumOffset);
        wrap(to + Ethernet.HEADER, headers + size - Ethernet.HEADER);
      }
    }
    done += size;
    index++;
    return headers + size;
  }

  private void network(long ip, int bytes) {
    if (six) {
      Ipv6.payloadLength(ip, bytes - Ipv6.HEADER);
      return;
    }
    int identification = Ipv4.identification(ip);
    int before = Ipv4.totalLength(ip);
    int now = identification + index & 0xFFFF;
    Memory.putShortBe(ip + Ipv4.IDENTIFICATION, now);
    Ipv4.totalLength(ip, bytes);
    int delta =
        Checksum.combine(Checksum.delta16(before, bytes), Checksum.delta16(identification, now));
    Ipv4.updateChecksum(ip, delta);
  }

  /** The outer headers of a segment, from its outer IP header to its end. */
  private void wrap(long ip, int bytes) {
    if (Ethernet.type(ip - Ethernet.HEADER) == Ethernet.IPV4) {
      int identification = Ipv4.identification(ip) + index & 0xFFFF;
      Memory.putShortBe(ip + Ipv4.IDENTIFICATION, identification);
      Memory.putShortBe(ip + Ipv4.TOTAL_LENGTH, bytes);
      Ipv4.checksum(ip, 0);
      Ipv4.checksum(ip, Checksum.complement(Checksum.sum(ip, Ipv4.HEADER)));
      Memory.putShortBe(ip + Ipv4.HEADER + Udp.LENGTH, bytes - Ipv4.HEADER);
      return; // no UDP checksum: RFC 7348, 5
    }
    int udpBytes = bytes - Ipv6.HEADER;
    long udp = ip + Ipv6.HEADER;
    Ipv6.payloadLength(ip, udpBytes);
    Memory.putShortBe(udp + Udp.LENGTH, udpBytes);
    int pseudoHeader = Checksum.pseudoHeaderV6(ip, IpProtocol.UDP, udpBytes);
    long sum = (long) Checksum.sum(udp, udpBytes) + pseudoHeader;
    Udp.checksum(udp, Checksum.complementUdp(Checksum.fold(sum)));
  }

  private void stream(long header, boolean last) {
    Memory.putIntBe(header + Tcp.SEQUENCE, Tcp.sequence(header) + done);
    int flags = Tcp.flags(header);
    if (!last) {
      flags &= ~(Tcp.FIN | Tcp.PSH);
    }
    if (index != 0) {
      flags &= ~CWR;
    }
    Memory.putByte(header + Tcp.FLAGS, flags);
  }
}
