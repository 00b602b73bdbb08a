package io.gatun.packet;

import io.gatun.ffm.memory.Memory;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Frames for tests, put together fluently: {@code PacketBuilder.ipv4("10.0.0.1",
 * "10.0.0.2").tcp(40000, 80).flags(Tcp.SYN).payload(10).bytes()}. Lengths and checksums are right
 * unless something else was asked for. Checksums are computed word by word, not by {@link
 * Checksum}: the two are each other's model. Not for sharing between threads.
 */
@SuppressWarnings("ByteBufferBackingArray") // all are allocated here
public final class PacketBuilder {
  private final InetAddress source;
  private final InetAddress destination;
  private final ByteArrayOutputStream tags = new ByteArrayOutputStream();
  private final ByteArrayOutputStream extensions = new ByteArrayOutputStream();
  private int firstExtension = -1;
  private int lastExtensionAt = -1;
  private long destinationMac = 0x02_00_00_00_00_02L;
  private long sourceMac = 0x02_00_00_00_00_01L;
  private byte[] ipv4Options = {};
  private byte[] tcpOptions = {};
  private byte[] payload = {};
  private int ttl = 64;
  private int tos;
  private int identification = 0x1234;
  private int fragment = Ipv4.DONT_FRAGMENT;
  private int protocol = 253; // RFC 3692: for experiments
  private int sourcePort;
  private int destinationPort;
  private int sequence = 1;
  private int acknowledgment;
  private int tcpFlags = Tcp.ACK;
  private int window = 65_535;
  private int icmpType;
  private int icmpCode;
  private int icmpRest;
  private boolean bare;
  private boolean partial;
  private @Nullable Integer checksum;
  private int pad;

  private PacketBuilder(InetAddress source, InetAddress destination) {
    this.source = source;
    this.destination = destination;
  }

  public static PacketBuilder ipv4(String source, String destination) {
    return ip(source, destination);
  }

  public static PacketBuilder ipv6(String source, String destination) {
    return ip(source, destination);
  }

  /** The family is that of the addresses. */
  public static PacketBuilder ip(String source, String destination) {
    InetAddress from = InetAddress.ofLiteral(source);
    InetAddress to = InetAddress.ofLiteral(destination);
    if (from.getClass() != to.getClass()) {
      throw new IllegalArgumentException(source + " and " + destination + ": give one family");
    }
    return new PacketBuilder(from, to);
  }

  /** MAC addresses, lower 48 bits. */
  public PacketBuilder macs(long source, long destination) {
    sourceMac = source;
    destinationMac = destination;
    return this;
  }

  /** One more VLAN tag, the outermost first. */
  public PacketBuilder vlan(int id) {
    return tag(Vlan.CUSTOMER, id);
  }

  /** One more tag with its TPID, the outermost first. */
  public PacketBuilder tag(int tpid, int tci) {
    tags.writeBytes(ByteBuffer.allocate(4).putShort((short) tpid).putShort((short) tci).array());
    return this;
  }

  public PacketBuilder ttl(int ttl) {
    this.ttl = ttl;
    return this;
  }

  public PacketBuilder tos(int tos) {
    this.tos = tos;
    return this;
  }

  public PacketBuilder identification(int identification) {
    this.identification = identification;
    return this;
  }

  /** IPv4: DF on (the default) or off. */
  public PacketBuilder dontFragment(boolean on) {
    fragment = on ? Ipv4.DONT_FRAGMENT : 0;
    return this;
  }

  /**
   * A fragment at {@code offset} bytes (a multiple of 8), with or without more to follow; over IPv6
   * a fragment header is added. A later fragment ({@code offset > 0}) is the payload alone.
   */
  public PacketBuilder fragment(int offset, boolean more) {
    if (v6()) {
      byte[] body = new byte[6];
      ByteBuffer.wrap(body).putShort((short) (offset | (more ? 1 : 0))).putInt(identification);
      extension(IpProtocol.FRAGMENT, 0, body);
    }
    fragment = (offset >>> 3) | (more ? Ipv4.MORE_FRAGMENTS : 0);
    return this;
  }

  /** IPv4 options, a multiple of 4 bytes, at most 40. */
  public PacketBuilder options(byte... options) {
    ipv4Options = options;
    return this;
  }

  /** {@code bytes} bytes of IPv4 "no operation". */
  public PacketBuilder options(int bytes) {
    byte[] options = new byte[bytes];
    java.util.Arrays.fill(options, (byte) 1);
    return options(options);
  }

  /**
   * One more IPv6 extension header of {@code type}, {@code 8 * units} bytes of padding options in
   * all (authentication: 4-byte units are worked out).
   */
  public PacketBuilder extension(int type, int units) {
    byte[] body = new byte[8 * units - 2];
    body[0] = 1; // PadN
    body[1] = (byte) (body.length - 2);
    int length = type == IpProtocol.AUTHENTICATION ? 2 * units - 2 : units - 1;
    return extension(type, length, body);
  }

  /** One more IPv6 extension header, its length field and what follows it as given. */
  public PacketBuilder extension(int type, int lengthField, byte[] body) {
    if (firstExtension < 0) {
      firstExtension = type;
    } else {
      nextAt.add(new int[] {lastExtensionAt, type});
    }
    lastExtensionAt = extensions.size();
    extensions.write(0);
    extensions.write(lengthField);
    extensions.writeBytes(body);
    return this;
  }

  private final java.util.List<int[]> nextAt = new java.util.ArrayList<>();

  public PacketBuilder tcp(int source, int destination) {
    return ports(IpProtocol.TCP, source, destination);
  }

  public PacketBuilder udp(int source, int destination) {
    return ports(IpProtocol.UDP, source, destination);
  }

  /** Only the common header; its CRC32c is left 0. */
  public PacketBuilder sctp(int source, int destination) {
    return ports(IpProtocol.SCTP, source, destination);
  }

  private PacketBuilder ports(int protocol, int source, int destination) {
    this.protocol = protocol;
    sourcePort = source;
    destinationPort = destination;
    return this;
  }

  /** ICMP or, over IPv6, ICMPv6; {@code rest} is the second word of the header. */
  public PacketBuilder icmp(int type, int code, int rest) {
    protocol = v6() ? IpProtocol.ICMPV6 : IpProtocol.ICMP;
    icmpType = type;
    icmpCode = code;
    icmpRest = rest;
    return this;
  }

  /** Echo request of the family. */
  public PacketBuilder echo(int identifier, int sequence) {
    return icmp(v6() ? Icmpv6.ECHO : Icmp.ECHO, 0, identifier << 16 | sequence);
  }

  /** An error about {@code quoted}: an IP packet without its Ethernet header. */
  public PacketBuilder icmpError(int type, int code, int rest, byte[] quoted) {
    return icmp(type, code, rest).payload(quoted);
  }

  /** This protocol number, without a header of its own: the payload follows the IP header. */
  public PacketBuilder protocol(int number) {
    protocol = number;
    bare = true;
    return this;
  }

  public PacketBuilder flags(int tcpFlags) {
    this.tcpFlags = tcpFlags;
    return this;
  }

  public PacketBuilder sequence(int sequence) {
    this.sequence = sequence;
    return this;
  }

  public PacketBuilder acknowledgment(int acknowledgment) {
    this.acknowledgment = acknowledgment;
    return this;
  }

  public PacketBuilder window(int window) {
    this.window = window;
    return this;
  }

  /** TCP options, a multiple of 4 bytes, at most 40. */
  public PacketBuilder tcpOptions(byte... options) {
    tcpOptions = options;
    return this;
  }

  public PacketBuilder payload(byte... payload) {
    this.payload = payload;
    return this;
  }

  /** {@code bytes} bytes that count up from 0. */
  public PacketBuilder payload(int bytes) {
    payload = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      payload[i] = (byte) i;
    }
    return this;
  }

  /** Leaves only the pseudo-header's sum in the checksum field, as a local stack does. */
  public PacketBuilder partialChecksum() {
    partial = true;
    return this;
  }

  /** This very value in the L4 checksum field: 0 for a UDP datagram without. */
  public PacketBuilder checksum(int value) {
    checksum = value;
    return this;
  }

  /** {@code bytes} zeros behind the IP packet, as Ethernet pads short frames. */
  public PacketBuilder pad(int bytes) {
    pad = bytes;
    return this;
  }

  /** The whole frame. */
  public byte[] bytes() {
    byte[] packet = packet();
    byte[] tag = tags.toByteArray();
    ByteBuffer frame = ByteBuffer.allocate(Ethernet.HEADER + tag.length + packet.length + pad);
    frame.putShort((short) (destinationMac >>> 32)).putInt((int) destinationMac);
    frame.putShort((short) (sourceMac >>> 32)).putInt((int) sourceMac);
    frame.put(tag).putShort((short) (v6() ? Ethernet.IPV6 : Ethernet.IPV4)).put(packet);
    return frame.array();
  }

  /** Writes the frame to native memory at {@code address}; returns its bytes. */
  public int write(long address) {
    byte[] frame = bytes();
    Memory.copyIn(frame, 0, address, frame.length);
    return frame.length;
  }

  /** The IP packet without Ethernet: what an ICMP error quotes. */
  public byte[] packet() {
    byte[] l4 = l4();
    return v6() ? packetV6(l4) : packetV4(l4);
  }

  private byte[] packetV4(byte[] l4) {
    int header = Ipv4.HEADER + ipv4Options.length;
    ByteBuffer packet = ByteBuffer.allocate(header + l4.length);
    packet.put((byte) (0x40 | header / 4)).put((byte) tos).putShort((short) packet.capacity());
    packet.putShort((short) identification).putShort((short) fragment);
    packet.put((byte) ttl).put((byte) protocol).putShort((short) 0);
    packet.put(source.getAddress()).put(destination.getAddress()).put(ipv4Options).put(l4);
    int sum = sum(packet.array(), header, 0);
    packet.putShort(Ipv4.CHECKSUM, (short) ~sum);
    return packet.array();
  }

  private byte[] packetV6(byte[] l4) {
    byte[] chain = extensions.toByteArray();
    nextAt.forEach(link -> chain[link[0]] = (byte) link[1]);
    if (chain.length > 0) {
      chain[lastExtensionAt] = (byte) protocol;
    }
    ByteBuffer packet = ByteBuffer.allocate(Ipv6.HEADER + chain.length + l4.length);
    packet.putInt(6 << 28 | tos << 20).putShort((short) (chain.length + l4.length));
    packet.put((byte) (chain.length > 0 ? firstExtension : protocol)).put((byte) ttl);
    packet.put(source.getAddress()).put(destination.getAddress()).put(chain).put(l4);
    return packet.array();
  }

  private byte[] l4() {
    if (bare || (fragment & Ipv4.FRAGMENT_OFFSET) != 0) {
      return payload;
    }
    return switch (protocol) {
      case IpProtocol.TCP -> {
        int header = Tcp.HEADER + tcpOptions.length;
        ByteBuffer l4 = ByteBuffer.allocate(header + payload.length);
        l4.putShort((short) sourcePort).putShort((short) destinationPort);
        l4.putInt(sequence).putInt(acknowledgment);
        l4.put((byte) ((header / 4) << 4)).put((byte) tcpFlags).putShort((short) window).putInt(0);
        yield sealed(l4.put(tcpOptions).put(payload), Tcp.CHECKSUM, true);
      }
      case IpProtocol.UDP -> {
        ByteBuffer l4 = ByteBuffer.allocate(Udp.HEADER + payload.length);
        l4.putShort((short) sourcePort).putShort((short) destinationPort);
        l4.putShort((short) l4.capacity()).putShort((short) 0);
        yield sealed(l4.put(payload), Udp.CHECKSUM, true);
      }
      case IpProtocol.ICMP, IpProtocol.ICMPV6 -> {
        ByteBuffer l4 = ByteBuffer.allocate(Icmp.HEADER + payload.length);
        l4.put((byte) icmpType).put((byte) icmpCode).putShort((short) 0).putInt(icmpRest);
        yield sealed(l4.put(payload), Icmp.CHECKSUM, protocol == IpProtocol.ICMPV6);
      }
      case IpProtocol.SCTP -> {
        ByteBuffer l4 = ByteBuffer.allocate(Sctp.HEADER + payload.length);
        l4.putShort((short) sourcePort).putShort((short) destinationPort).putLong(0);
        yield l4.put(payload).array();
      }
      default -> payload;
    };
  }

  private byte[] sealed(ByteBuffer l4, int checksumAt, boolean withPseudoHeader) {
    int pseudo = withPseudoHeader ? pseudoHeader(l4.capacity()) : 0;
    int value = ~sum(l4.array(), l4.capacity(), pseudo) & 0xFFFF;
    if (protocol == IpProtocol.UDP && value == 0) {
      value = 0xFFFF;
    }
    if (partial) {
      value = pseudo;
    }
    l4.putShort(checksumAt, (short) (checksum != null ? checksum : value));
    return l4.array();
  }

  private int pseudoHeader(int l4Bytes) {
    byte[] addresses = new byte[2 * source.getAddress().length];
    ByteBuffer.wrap(addresses).put(source.getAddress()).put(destination.getAddress());
    return sum(addresses, addresses.length, protocol + l4Bytes);
  }

  private boolean v6() {
    return source.getAddress().length == 16;
  }

  /** RFC 1071 as it is written: word by word. */
  private static int sum(byte[] bytes, int count, int start) {
    int sum = start;
    for (int i = 0; i < count; i++) {
      sum += (bytes[i] & 0xFF) << (i % 2 == 0 ? 8 : 0);
      sum = (sum & 0xFFFF) + (sum >>> 16);
    }
    return (sum & 0xFFFF) + (sum >>> 16);
  }
}
