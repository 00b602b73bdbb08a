package io.gatun.port.packet;

import io.gatun.ffm.packet.VirtioNetHeader;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;

/**
 * Between the offload header of a frame and the vector's columns, both ways. Stateless.
 *
 * <p>Here a header is held against the frame's length; whether it fits the packet is parse's
 * question, which knows where the headers are.
 */
final class Offload {
  private static final int CWR = 0x80;

  private Offload() {}

  /** Takes over what {@code header} says of packet {@code i}, or drops it. */
  static void read(long header, PacketVector v, int i) {
    int bytes = v.length[i];
    int type = VirtioNetHeader.segmentType(header);
    boolean partial = (VirtioNetHeader.flags(header) & VirtioNetHeader.NEEDS_CHECKSUM) != 0;
    if (partial) {
      int start = VirtioNetHeader.checksumStart(header);
      int offset = VirtioNetHeader.checksumOffset(header);
      if (start < Ethernet.HEADER || start + offset + 2 > bytes) {
        v.drop(i, DropReason.UNSUPPORTED_OFFLOAD);
        return;
      }
      v.flags[i] = PacketVector.PARTIAL_CHECKSUM;
      v.csumStart[i] = start;
      v.csumOffset[i] = offset;
    }
    if (type != VirtioNetHeader.NONE) {
      int size = VirtioNetHeader.segmentSize(header);
      if (!partial
          || size == 0
          || size >= bytes
          || VirtioNetHeader.headerLength(header) > bytes
          || !agrees(type, v.csumOffset[i])) {
        v.drop(i, DropReason.UNSUPPORTED_OFFLOAD);
        return;
      }
      v.segmentSize[i] = size;
    }
  }

  /** UDP fragments (type 3) and types to come are none of ours. */
  private static boolean agrees(int type, int checksumOffset) {
    return switch (type) {
      case VirtioNetHeader.TCP_V4, VirtioNetHeader.TCP_V6 -> checksumOffset == Tcp.CHECKSUM;
      case VirtioNetHeader.UDP_L4 -> checksumOffset == Udp.CHECKSUM;
      default -> false;
    };
  }

  /** Writes the header that has the kernel finish packet {@code i}, 10 bytes at {@code header}. */
  static void write(long header, PacketVector v, int i) {
    int flags = v.flags[i];
    if ((flags & (PacketVector.PARTIAL_CHECKSUM | PacketVector.TUNNEL))
        != PacketVector.PARTIAL_CHECKSUM) {
      VirtioNetHeader.writePlain(header); // in a tunnel checksums are complete
      return;
    }
    int l4 = v.l4[i];
    int size = v.segmentSize[i];
    int type = VirtioNetHeader.NONE;
    int headers = l4 + Udp.HEADER;
    if (v.protocol[i] == IpProtocol.TCP) {
      long tcp = v.address[i] + l4;
      headers = l4 + Tcp.headerBytes(tcp);
      if (size != 0) {
        type = (flags & PacketVector.IPV6) != 0 ? VirtioNetHeader.TCP_V6 : VirtioNetHeader.TCP_V4;
        type |= (Tcp.flags(tcp) & CWR) != 0 ? VirtioNetHeader.ECN : 0;
      }
    } else if (size != 0) {
      type = VirtioNetHeader.UDP_L4;
    }
    VirtioNetHeader.write(header, type, headers, size, l4, v.csumOffset[i]);
  }
}
