package io.gatun.pipeline;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Sctp;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;
import io.gatun.packet.Vlan;

/**
 * The first stage: proves all lengths once, so that no later stage has to check, and writes down
 * where the headers are. Belongs to one worker.
 *
 * <p>Fills {@code l3 l4 protocol l4Length ports csumOffset} and the flags, and cuts {@code length}
 * to the end of the IP packet: what Ethernet padded, or anybody hid behind the packet, goes no
 * further. What remains {@link Verdict#CONTINUE} has
 *
 * <ul>
 *   <li>a whole IPv4 header with a right checksum, or a whole IPv6 header and extension chain;
 *   <li>unless it is a {@link PacketVector#LATER_FRAGMENT}, a whole TCP header with its options, a
 *       UDP, ICMP or ICMPv6 header of 8 bytes or an SCTP header of 12, inside the IP packet; in
 *       whole packets the UDP length fits too. Other protocols have no ports and no promise but
 *       {@code l4Length}.
 * </ul>
 *
 * <p>Transport checksums are not verified: who forwards need not (RFC 1812, 5.2.2), and whoever
 * answers does.
 */
public final class ParseStage implements Stage {
  /** IP and TCP without options: what a plain packet is read from before its length is known. */
  private static final int PLAIN_HEADERS = Ipv4.HEADER + Tcp.HEADER;

  /** Ethernet type IPv4, version 4, five words of header. */
  private static final long PLAIN_START = Ethernet.IPV4 << 8 | 0x45;

  private static final int FRAGMENTED = Ipv4.MORE_FRAGMENTS | Ipv4.FRAGMENT_OFFSET;

  /** What of type to identification is the IP header's. */
  private static final long HEADER_WORDS = 0xFFFF_FFFF_FFFFL;

  private static final long LOW = 0xFFFF_FFFFL;

  private final boolean[] partialPorts;

  /** Packets that are not plain. */
  private final int[] rest = new int[PacketVector.CAPACITY];

  /**
   * {@code partialPorts[n]}: whether port {@code n} has a local stack at its far end (veth), which
   * leaves checksums partial. Ports beyond the array do not.
   */
  public ParseStage(boolean... partialPorts) {
    this.partialPorts = partialPorts.clone();
  }

  private ParseStage(boolean[] shared, Void unused) {
    partialPorts = shared;
  }

  /** The same, but a port's entry may change as long as the port belongs to no worker. */
  public static ParseStage sharing(boolean[] partialPorts) {
    return new ParseStage(partialPorts, null);
  }

  @Override
  public void process(PacketVector v) {
    parseAll(v, 0);
  }

  /**
   * For who has taken outer headers off: parses all {@link PacketVector#FROM_TUNNEL} again, from
   * {@code address} and {@code length}, their other flags being 0, or {@link
   * PacketVector#PARTIAL_CHECKSUM} with what belongs to that.
   */
  public void parseInner(PacketVector v) {
    parseAll(v, PacketVector.FROM_TUNNEL);
  }

  private void parseAll(PacketVector v, int tunnelled) {
    int left = plain(v, v.size, tunnelled);
    for (int k = 0; k < left; k++) {
      parse(v, rest[k]);
    }
  }

  /**
   * Whole TCP and UDP packets over IPv4 without tags and options, by far the most, in a loop that
   * calls nothing; of all packets those whose flag {@link PacketVector#FROM_TUNNEL} is {@code
   * tunnelled}. All others of them, faulty ones included, are written to {@link #rest}; returns how
   * many.
   */
  private int plain(PacketVector v, int size, int tunnelled) {
    long[] address = v.address;
    long[] addresses = v.addresses;
    int[] length = v.length;
    int[] flags = v.flags;
    int[] l3s = v.l3;
    int[] l4s = v.l4;
    int[] protocols = v.protocol;
    int[] l4Length = v.l4Length;
    int[] ports = v.ports;
    int[] verdict = v.verdict;
    int[] inPort = v.inPort;
    int[] csumOffset = v.csumOffset;
    boolean[] partial = partialPorts;
    int[] others = rest;
    int left = 0;
    for (int i = 0; i < size; i++) {
      int f = flags[i];
      if (verdict[i] != Verdict.CONTINUE || (f & PacketVector.FROM_TUNNEL) != tunnelled) {
        continue;
      }
      long l3 = Memory.address(address[i]) + Ethernet.HEADER;
      int bytes = length[i] - Ethernet.HEADER;
      // What a port says of a partial checksum is to be proved.
      if (bytes < PLAIN_HEADERS || (f & PacketVector.PARTIAL_CHECKSUM) != 0) {
        others[left++] = i;
        continue;
      }
      // Ethernet type to identification; fragment to the half of the source; both addresses.
      long first = Memory.getLongBe(l3 - 2);
      long second = Memory.getLongBe(l3 + Ipv4.FRAGMENT);
      long both = Memory.getLongBe(l3 + Ipv4.SOURCE);
      int total = (int) (first >>> 16) & 0xFFFF;
      int protocol = (int) (second >>> 32) & 0xFF;
      long l4 = l3 + Ipv4.HEADER;
      int l4Bytes = total - Ipv4.HEADER;
      boolean tcp = protocol == IpProtocol.TCP;
      int tail = Memory.getShortBe(l4 + (tcp ? Tcp.DATA_OFFSET : Udp.LENGTH));
      // TCP: header with options within the packet. UDP: its length is the packet's.
      boolean fits =
          tcp
              ? tail >>> 12 >= 5 && tail >>> 12 << 2 <= l4Bytes
              : protocol == IpProtocol.UDP && tail == l4Bytes && tail >= Udp.HEADER;
      long sum = (first & HEADER_WORDS) + (second >>> 16) + (both & LOW) + (both >>> 32);
      if (first >>> 40 != PLAIN_START
          || (second >>> 48 & FRAGMENTED) != 0
          || total > bytes
          || !fits
          || foldShort(sum) != 0xFFFF
          || martian((int) (both >>> 32), (int) both)) {
        others[left++] = i;
        continue;
      }
      length[i] = Ethernet.HEADER + total;
      l3s[i] = Ethernet.HEADER;
      l4s[i] = Ethernet.HEADER + Ipv4.HEADER;
      protocols[i] = protocol;
      l4Length[i] = l4Bytes;
      addresses[i] = both;
      ports[i] = Memory.getIntBe(l4);
      f |= tcp ? tcpFlags(tail) : 0;
      int port = inPort[i];
      if (port >= 0 && port < partial.length && partial[port]) {
        int offset = tcp ? Tcp.CHECKSUM : Udp.CHECKSUM;
        int field = Memory.getShortBe(l4 + offset);
        long pseudoHeader = (both & LOW) + (both >>> 32) + protocol + l4Bytes;
        if ((tcp || field != 0) && Checksum.partial(field, Checksum.fold(pseudoHeader))) {
          f |= PacketVector.PARTIAL_CHECKSUM;
          csumOffset[i] = offset;
        }
      }
      flags[i] = f;
    }
    return left;
  }

  private void parse(PacketVector v, int i) {
    long frame = v.address[i];
    int bytes = v.length[i];
    int l3 = Vlan.payload(frame, bytes);
    if (l3 < 0) {
      v.drop(i, DropReason.FRAME_TOO_SHORT);
      return;
    }
    v.l3[i] = l3;
    v.l4[i] = l3;
    v.protocol[i] = 0;
    v.l4Length[i] = 0;
    v.ports[i] = 0;
    if ((v.flags[i] & PacketVector.PARTIAL_CHECKSUM) == 0) {
      v.csumOffset[i] = 0;
    }
    int type = Memory.getShortBe(frame + l3 - 2);
    if (type == Ethernet.IPV4) {
      parseV4(v, i, frame + l3, bytes - l3);
    } else if (type == Ethernet.IPV6) {
      parseV6(v, i, frame + l3, bytes - l3);
    } else {
      v.drop(i, DropReason.UNKNOWN_ETHERTYPE);
    }
  }

  private void parseV4(PacketVector v, int i, long l3, int bytes) {
    if (!Ipv4.fits(l3, bytes)) {
      v.drop(i, DropReason.BAD_IP_HEADER);
      return;
    }
    if (!Ipv4.checksumCorrect(l3)) {
      v.drop(i, DropReason.BAD_IP_CHECKSUM);
      return;
    }
    if (martian(Ipv4.source(l3), Ipv4.destination(l3))) {
      v.drop(i, DropReason.BAD_IP_ADDRESS);
      return;
    }
    int flags = 0;
    v.addresses[i] = Memory.getLongBe(l3 + Ipv4.SOURCE);
    int fragment = Ipv4.fragment(l3);
    if ((fragment & Ipv4.FRAGMENT_OFFSET) != 0) {
      flags = PacketVector.LATER_FRAGMENT;
    } else if ((fragment & Ipv4.MORE_FRAGMENTS) != 0) {
      flags = PacketVector.FIRST_FRAGMENT;
    }
    parseL4(v, i, l3, Ipv4.headerBytes(l3), Ipv4.totalLength(l3), Ipv4.protocol(l3), flags);
  }

  private void parseV6(PacketVector v, int i, long l3, int bytes) {
    if (!Ipv6.fits(l3, bytes)) {
      v.drop(i, DropReason.BAD_IP_HEADER);
      return;
    }
    if (martianV6(l3)) {
      v.drop(i, DropReason.BAD_IP_ADDRESS);
      return;
    }
    int total = Ipv6.HEADER + Ipv6.payloadLength(l3);
    long walked = Ipv6.walk(l3, total);
    if (walked < 0) {
      v.drop(i, DropReason.BAD_EXTENSION_HEADER);
      return;
    }
    int flags = PacketVector.IPV6;
    if (Ipv6.walkedLaterFragment(walked)) {
      flags |= PacketVector.LATER_FRAGMENT;
    } else if (Ipv6.walkedFirstFragment(walked)) {
      flags |= PacketVector.FIRST_FRAGMENT;
    }
    parseL4(v, i, l3, Ipv6.walkedOffset(walked), total, Ipv6.walkedProtocol(walked), flags);
  }

  /** {@code offset} and {@code total} count from {@code l3}: to the L4 header, to the end. */
  private void parseL4(
      PacketVector v, int i, long l3, int offset, int total, int protocol, int ipFlags) {
    long l4 = l3 + offset;
    int bytes = total - offset;
    v.length[i] = v.l3[i] + total;
    v.l4[i] = v.l3[i] + offset;
    v.l4Length[i] = bytes;
    v.protocol[i] = protocol;
    int flags = v.flags[i] | ipFlags;
    v.flags[i] = flags;
    if ((flags & PacketVector.LATER_FRAGMENT) != 0) {
      OffloadProof.prove(v, i);
      return;
    }
    boolean whole = (flags & PacketVector.FIRST_FRAGMENT) == 0;
    boolean fits = true;
    switch (protocol) {
      case IpProtocol.TCP -> {
        fits = Tcp.fits(l4, bytes);
        if (fits) {
          v.ports[i] = Tcp.ports(l4);
          v.flags[i] = flags | tcpFlags(Tcp.flags(l4));
          if (whole) {
            markPartial(v, i, l3, l4, Tcp.CHECKSUM);
          }
        }
      }
      case IpProtocol.UDP -> {
        fits = whole ? Udp.fits(l4, bytes) : bytes >= Udp.HEADER;
        if (fits) {
          v.ports[i] = Udp.ports(l4);
          // A checksum of 0 is none; and a sum over less than the IP packet is no device's work.
          if (whole && Udp.checksum(l4) != 0 && Udp.length(l4) == bytes) {
            markPartial(v, i, l3, l4, Udp.CHECKSUM);
          }
        }
      }
      case IpProtocol.ICMP -> {
        if ((flags & PacketVector.IPV6) != 0) {
          break; // each family has its own; the other's number is any protocol's
        }
        fits = Icmp.fits(bytes);
        if (fits) {
          int type = Icmp.type(l4);
          icmp(v, i, Icmp.error(type), Icmp.query(type), Icmp.identifier(l4));
        }
      }
      case IpProtocol.ICMPV6 -> {
        if ((flags & PacketVector.IPV6) == 0) {
          break;
        }
        fits = Icmpv6.fits(bytes);
        if (fits) {
          int type = Icmpv6.type(l4);
          icmp(v, i, Icmpv6.error(type), Icmpv6.query(type), Icmpv6.identifier(l4));
        }
      }
      case IpProtocol.SCTP -> {
        fits = Sctp.fits(bytes);
        if (fits) {
          v.ports[i] = Sctp.ports(l4);
          if (whole && (flags & PacketVector.PARTIAL_CHECKSUM) == 0) {
            completeSctp(v, i, l4);
          }
        }
      }
      default -> {
        // no ports, nothing to prove
      }
    }
    if (!fits) {
      v.drop(i, DropReason.BAD_L4_HEADER);
    } else if ((flags & PacketVector.PARTIAL_CHECKSUM) != 0) {
      OffloadProof.prove(v, i);
    }
  }

  /** {@link Checksum#fold} of less than 2^50, whose third step is the last. */
  private static int foldShort(long sum) {
    long s = (sum & LOW) + (sum >>> 32);
    s = (s & 0xFFFF) + (s >>> 16);
    return (int) (s + (s >>> 16)) & 0xFFFF;
  }

  private static int tcpFlags(int tcp) {
    int flags = (tcp & (Tcp.SYN | Tcp.ACK)) == Tcp.SYN ? PacketVector.TCP_SYN : 0;
    return (tcp & (Tcp.FIN | Tcp.RST)) != 0 ? flags | PacketVector.TCP_END : flags;
  }

  private static void icmp(PacketVector v, int i, boolean error, boolean query, int identifier) {
    if (query) {
      v.ports[i] = identifier << 16 | identifier;
    } else {
      v.flags[i] |= error ? PacketVector.ICMP_ERROR : PacketVector.ICMP_OTHER;
    }
  }

  /** No way out finishes a CRC, so it is done here. */
  private void completeSctp(PacketVector v, int i, long l4) {
    int port = v.inPort[i];
    if (port >= 0 && port < partialPorts.length && partialPorts[port] && Sctp.isUndone(l4)) {
      Sctp.complete(l4, v.l4Length[i]);
    }
  }

  private void markPartial(PacketVector v, int i, long l3, long l4, int csumOffset) {
    int port = v.inPort[i];
    if ((v.flags[i] & PacketVector.PARTIAL_CHECKSUM) != 0) {
      return; // the port knows
    }
    if (port < 0 || port >= partialPorts.length || !partialPorts[port]) {
      return;
    }
    int protocol = v.protocol[i];
    int bytes = v.l4Length[i];
    int pseudoHeader =
        (v.flags[i] & PacketVector.IPV6) != 0
            ? Checksum.pseudoHeaderV6(l3, protocol, bytes)
            : Checksum.pseudoHeaderV4(l3, protocol, bytes);
    if (Checksum.partial(Memory.getShortBe(l4 + csumOffset), pseudoHeader)) {
      v.flags[i] |= PacketVector.PARTIAL_CHECKSUM;
      v.csumOffset[i] = csumOffset;
    }
  }

  /**
   * Addresses that RFC 1122, 3.2.1.3 and RFC 1812, 5.3.7 keep off every wire: this network (0/8),
   * loopback, and a source that is multicast or beyond. Where a destination may go is routing's
   * question.
   */
  private static boolean martian(int source, int destination) {
    int from = source >>> 24;
    int to = destination >>> 24;
    boolean source1To223 = from - 1 + Integer.MIN_VALUE < 223 + Integer.MIN_VALUE;
    return !source1To223 || from == 127 || to == 0 || to == 127;
  }

  /**
   * RFC 4291, 2.5 and 2.7: a multicast source, ::1 on either side, a destination of ::. A source of
   * :: is right only towards a group (duplicate address detection); one of ::ffff:0:0/96 would be
   * IPv4's to whoever gets it, so Linux drops it too (ip6_rcv_core).
   */
  private static boolean martianV6(long l3) {
    long sourceHigh = Ipv6.sourceHigh(l3);
    long destinationHigh = Ipv6.destinationHigh(l3);
    if (Ipv6.multicast(sourceHigh)) {
      return true;
    }
    if (destinationHigh == 0 && Ipv6.destinationLow(l3) >>> 1 == 0) {
      return true;
    }
    if (sourceHigh == 0) {
      long low = Ipv6.sourceLow(l3);
      return low == 1 || low >>> 32 == 0xFFFF || (low == 0 && !Ipv6.multicast(destinationHigh));
    }
    return false;
  }
}
