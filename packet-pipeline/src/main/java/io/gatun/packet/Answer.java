package io.gatun.packet;

import io.gatun.ffm.memory.Memory;

/**
 * Turns a parsed frame, where it lies, into our reply to its sender: ICMP errors, echo replies, TCP
 * resets. The Ethernet addresses are swapped and VLAN tags kept, so the reply goes back through the
 * port it came from. Stateless; the frame belongs to the caller. Whether a packet may be answered
 * at all is for {@link #mayReportV4} and {@link #mayReportV6} to say.
 *
 * <p>An ICMP error does not move what it quotes: the new headers go in front of the old IP header,
 * the Ethernet header moves down, the tail is cut off.
 *
 * <pre>
 *                 frame           l3
 *                 ▼ Ethernet      ▼ IP header and payload
 *   headroom      ├───────────────┼──────────────────────────────┤
 *   ├─────────────┼───────────────┼────────────────────┤
 *   Ethernet      IP, ICMP        quote, cut to 576 (v4) or 1280 (v6) bytes in all
 *   ▲ frame − PUSH
 * </pre>
 */
public final class Answer {
  /** Headroom that an ICMP error needs in front of an IPv4 frame. */
  public static final int PUSH_V4 = Ipv4.HEADER + Icmp.HEADER;

  /** Headroom that an ICMPv6 error needs in front of an IPv6 frame. */
  public static final int PUSH_V6 = Ipv6.HEADER + Icmpv6.HEADER;

  /** 192.0.0.8: who has no IPv4 address of its own (RFC 7600, 4.8; Linux does the same). */
  public static final int DUMMY_V4 = 0xC000_0008;

  private static final int HOPS = 64;

  /** Internetwork control, RFC 1812, 4.3.2.5. */
  private static final int ERROR_TOS = 0xC0;

  private Answer() {}

  // Who may be answered

  /**
   * RFC 1812, 4.3.2.7: no error about an ICMP error, a later fragment, a frame or packet for many,
   * or one whose source is no single host. The source has been through parse.
   */
  public static boolean mayReportV4(long frame, long l3, boolean icmpError, boolean laterFragment) {
    int destination = Ipv4.destination(l3);
    return !icmpError
        && !laterFragment
        && !Ethernet.toGroup(frame)
        && destination >>> 28 < 14; // else multicast, reserved or broadcast: no source of ours
  }

  /**
   * RFC 4443, 2.4 (e): no error about an ICMPv6 error or redirect, a packet for many, or one whose
   * source is no single host. "Packet too big" about multicast is allowed there; we send none.
   */
  public static boolean mayReportV6(long frame, long l3, boolean icmpError, boolean laterFragment) {
    return !icmpError
        && !laterFragment
        && !Ethernet.toGroup(frame)
        && !Ipv6.multicast(Ipv6.destinationHigh(l3))
        && (Ipv6.sourceHigh(l3) | Ipv6.sourceLow(l3)) != 0;
  }

  // ICMP errors

  /**
   * Makes an IPv4 frame an ICMP error about itself, from {@code source}; {@code rest} is the second
   * word of the ICMP header. The reply begins at {@code frame − PUSH_V4}, which must be ours to
   * write; returns its bytes.
   */
  public static int icmpV4(long frame, int l3, int type, int code, int rest, int source) {
    long quoted = frame + l3;
    int quote =
        Math.min(Ipv4.totalLength(quoted), Ipv4.MINIMUM_REASSEMBLY - Ipv4.HEADER - Icmp.HEADER);
    int target = Ipv4.source(quoted);
    pushEthernet(frame, l3, PUSH_V4);
    long ip = quoted - PUSH_V4;
    long icmp = quoted - Icmp.HEADER;
    Ipv4.write(ip, PUSH_V4 + quote, 0, HOPS, IpProtocol.ICMP, source, target);
    Memory.putByte(ip + Ipv4.TOS, ERROR_TOS);
    Ipv4.computeChecksum(ip);
    Icmp.write(icmp, type, code, rest);
    Icmp.computeChecksum(icmp, Icmp.HEADER + quote);
    return l3 + PUSH_V4 + quote;
  }

  /**
   * Makes an IPv6 frame an ICMPv6 error about itself, from the given source. The reply begins at
   * {@code frame − PUSH_V6}, which must be ours to write; returns its bytes.
   */
  public static int icmpV6(
      long frame, int l3, int type, int code, int rest, long sourceHigh, long sourceLow) {
    long quoted = frame + l3;
    int quote =
        Math.min(
            Ipv6.HEADER + Ipv6.payloadLength(quoted),
            Ipv6.MINIMUM_MTU - Ipv6.HEADER - Icmpv6.HEADER);
    pushEthernet(frame, l3, PUSH_V6);
    long ip = quoted - PUSH_V6;
    long icmp = quoted - Icmpv6.HEADER;
    Ipv6.write(ip, Icmpv6.HEADER + quote, IpProtocol.ICMPV6, HOPS);
    Ipv6.source(ip, sourceHigh, sourceLow);
    Ipv6.destination(ip, Ipv6.sourceHigh(quoted), Ipv6.sourceLow(quoted));
    Icmpv6.write(icmp, type, code, rest);
    Icmpv6.computeChecksum(ip, icmp, Icmpv6.HEADER + quote);
    return l3 + PUSH_V6 + quote;
  }

  private static void pushEthernet(long frame, int l3, int push) {
    Memory.copy(frame, frame - push, l3);
    Ethernet.swapAddresses(frame - push);
  }

  // Echo

  /** Makes an IPv4 echo request the reply to it, at the same place, of the same length. */
  public static void echoReplyV4(long frame, int l3, int l4) {
    long ip = frame + l3;
    long icmp = frame + l4;
    Ethernet.swapAddresses(frame);
    int source = Ipv4.source(ip);
    Ipv4.source(ip, Ipv4.destination(ip));
    Ipv4.destination(ip, source);
    Ipv4.ttl(ip, HOPS);
    Ipv4.computeChecksum(ip);
    int before = Memory.getShortBe(icmp);
    Memory.putByte(icmp, Icmp.ECHO_REPLY);
    Icmp.updateChecksum(icmp, Checksum.delta16(before, Memory.getShortBe(icmp)));
  }

  /** Makes an IPv6 echo request the reply to it, at the same place, of the same length. */
  public static void echoReplyV6(long frame, int l3, int l4) {
    long ip = frame + l3;
    long icmp = frame + l4;
    Ethernet.swapAddresses(frame);
    swapAddressesV6(ip);
    Ipv6.hopLimit(ip, HOPS);
    int before = Memory.getShortBe(icmp);
    Memory.putByte(icmp, Icmpv6.ECHO_REPLY);
    Icmpv6.updateChecksum(icmp, Checksum.delta16(before, Memory.getShortBe(icmp)));
  }

  // TCP reset

  /** True when a reset may answer the segment: it is no reset itself (RFC 9293, 3.5.2). */
  public static boolean mayReset(long l4) {
    return (Tcp.flags(l4) & Tcp.RST) == 0;
  }

  /**
   * Makes a TCP segment over IPv4, of {@code bytes} bytes from its TCP header, the reset that
   * answers it; options of both headers go. Returns the frame's bytes.
   */
  public static int resetV4(long frame, int l3, int l4, int bytes) {
    long ip = frame + l3;
    Ethernet.swapAddresses(frame);
    writeReset(ip + Ipv4.HEADER, frame + l4, bytes);
    int total = Ipv4.HEADER + Tcp.HEADER;
    Ipv4.write(ip, total, 0, HOPS, IpProtocol.TCP, Ipv4.destination(ip), Ipv4.source(ip));
    long tcp = ip + Ipv4.HEADER;
    seal(tcp, Checksum.pseudoHeaderV4(ip, IpProtocol.TCP, Tcp.HEADER));
    return l3 + total;
  }

  /**
   * Makes a TCP segment over IPv6, of {@code bytes} bytes from its TCP header, the reset that
   * answers it; extension headers and options go. Returns the frame's bytes.
   */
  public static int resetV6(long frame, int l3, int l4, int bytes) {
    long ip = frame + l3;
    Ethernet.swapAddresses(frame);
    writeReset(ip + Ipv6.HEADER, frame + l4, bytes);
    swapAddressesV6(ip);
    Ipv6.write(ip, Tcp.HEADER, IpProtocol.TCP, HOPS);
    long tcp = ip + Ipv6.HEADER;
    seal(tcp, Checksum.pseudoHeaderV6(ip, IpProtocol.TCP, Tcp.HEADER));
    return l3 + Ipv6.HEADER + Tcp.HEADER;
  }

  /**
   * RFC 9293, 3.5.2, group 1: with ACK the reset takes its sequence number from there; without, its
   * sequence number is 0 and it acknowledges all that came. {@code to} may lie on {@code from}.
   */
  private static void writeReset(long to, long from, int bytes) {
    int flags = Tcp.flags(from);
    int source = Tcp.destinationPort(from);
    int destination = Tcp.sourcePort(from);
    int acknowledgment = Tcp.acknowledgment(from);
    int controls = ((flags & Tcp.SYN) != 0 ? 1 : 0) + ((flags & Tcp.FIN) != 0 ? 1 : 0);
    int next = Tcp.sequence(from) + bytes - Tcp.headerBytes(from) + controls;
    if ((flags & Tcp.ACK) != 0) {
      Tcp.write(to, source, destination, acknowledgment, 0, Tcp.RST);
    } else {
      Tcp.write(to, source, destination, 0, next, Tcp.RST | Tcp.ACK);
    }
  }

  private static void seal(long tcp, int pseudoHeader) {
    long sum = (long) Checksum.sum(tcp, Tcp.HEADER) + pseudoHeader;
    Tcp.checksum(tcp, Checksum.complement(Checksum.fold(sum)));
  }

  private static void swapAddressesV6(long ip) {
    long high = Ipv6.sourceHigh(ip);
    long low = Ipv6.sourceLow(ip);
    Ipv6.source(ip, Ipv6.destinationHigh(ip), Ipv6.destinationLow(ip));
    Ipv6.destination(ip, high, low);
  }
}
