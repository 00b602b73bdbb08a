package io.gatun.flow;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;

/**
 * The packet that an ICMP error is about: its IP header and at least 8 bytes behind it (RFC 792;
 * RFC 4443, 3.1), the rest as far as the router quoted it. A flyweight, owned by one worker.
 *
 * <p>Nobody has proved anything about what stands in a quote, so {@link #read} does.
 */
final class QuotedPacket {
  long l3;
  long l4;
  int protocol;

  /** As in {@code PacketVector.ports}. */
  int ports;

  /** What is quoted of the transport header and its payload, in bytes. */
  int l4Bytes;

  /** The length that the checksum was made for: from the transport header to the packet's end. */
  int wholeL4Bytes;

  /** It is itself an ICMP error: nobody may have answered that. */
  boolean error;

  /**
   * Reads what is quoted in the {@code bytes} bytes from {@code at}. False when it is no packet of
   * the family, cut too short, or without ports: such an error is about no flow.
   */
  boolean read(long at, int bytes, boolean ipv6) {
    l3 = at;
    int header = ipv6 ? headerV6(at, bytes) : headerV4(at, bytes);
    if (header < 0 || bytes - header < Transport.QUOTED) {
      return false;
    }
    l4 = at + header;
    int whole = ipv6 ? Ipv6.HEADER + Ipv6.payloadLength(at) : Ipv4.totalLength(at);
    wholeL4Bytes = whole - header;
    // Behind a short packet there may be padding and extensions (RFC 4884).
    l4Bytes = Math.min(bytes - header, wholeL4Bytes);
    return l4Bytes >= Transport.QUOTED && transport(ipv6);
  }

  private int headerV4(long at, int bytes) {
    if (bytes < Ipv4.HEADER || Memory.getByte(at) >>> 4 != 4) {
      return -1;
    }
    int header = Ipv4.headerBytes(at);
    if (header < Ipv4.HEADER || header > bytes || Ipv4.fragmentOffset(at) != 0) {
      return -1;
    }
    protocol = Ipv4.protocol(at);
    return header;
  }

  private int headerV6(long at, int bytes) {
    if (bytes < Ipv6.HEADER || Memory.getByte(at) >>> 4 != 6) {
      return -1;
    }
    long walked = Ipv6.walk(at, bytes);
    if (walked < 0 || Ipv6.walkedLaterFragment(walked)) {
      return -1;
    }
    protocol = Ipv6.walkedProtocol(walked);
    return Ipv6.walkedOffset(walked);
  }

  private boolean transport(boolean ipv6) {
    error = false;
    return switch (protocol) {
      case IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP -> {
        ports = Memory.getIntBe(l4);
        yield true;
      }
      case IpProtocol.ICMP -> {
        int type = Icmp.type(l4);
        error = Icmp.error(type);
        ports = Icmp.identifier(l4) * 0x1_0001;
        yield !ipv6 && (error || Icmp.query(type));
      }
      case IpProtocol.ICMPV6 -> {
        int type = Icmpv6.type(l4);
        error = Icmpv6.error(type);
        ports = Icmpv6.identifier(l4) * 0x1_0001;
        yield ipv6 && (error || Icmpv6.query(type));
      }
      default -> false;
    };
  }
}
