package io.gatun.agent.explain;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.flow.AddressWords;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;

/**
 * The first packet of a flow, as its client would send it: a TCP SYN, a UDP datagram, an SCTP
 * packet, an echo request. One thread; the frame is written anew for each flow.
 */
public final class SynthesizedPacket implements AutoCloseable {
  /** Where a client's port was left out: the first of Linux' ephemeral ports. */
  static final int ANY_PORT = 32_768;

  private static final int HEADROOM = 256;
  private static final int CHUNK = 2048;
  private static final int TTL = 64;
  private static final int PAYLOAD = 8;

  private final NativeArea area = NativeArea.map("explained packet", CHUNK);

  /** Start of the chunk. */
  public long frame() {
    return area.address();
  }

  /** Where the packet's Ethernet header stands. */
  public long address() {
    return area.address() + HEADROOM;
  }

  /** Writes the packet; returns its length in bytes. */
  public int write(FlowQuery flow) {
    long frame = address();
    boolean ipv6 = flow.ipv6();
    int l4Bytes = l4Bytes(flow.protocol());
    long l3 = frame + Ethernet.HEADER;
    long l4 = l3 + (ipv6 ? Ipv6.HEADER : Ipv4.HEADER);
    Memory.zero(area.address(), CHUNK);
    Ethernet.destination(frame, 0x02_00_00_00_00_01L);
    Ethernet.source(frame, 0x02_00_00_00_00_02L);
    Ethernet.type(frame, ipv6 ? Ethernet.IPV6 : Ethernet.IPV4);
    if (ipv6) {
      Ipv6.write(l3, l4Bytes, flow.protocol(), TTL);
      Ipv6.source(l3, AddressWords.high(flow.src()), AddressWords.low(flow.src()));
      Ipv6.destination(l3, AddressWords.high(flow.dst()), AddressWords.low(flow.dst()));
    } else {
      Ipv4.write(
          l3,
          Ipv4.HEADER + l4Bytes,
          1,
          TTL,
          flow.protocol(),
          (int) AddressWords.low(flow.src()),
          (int) AddressWords.low(flow.dst()));
    }
    transport(flow, l3, l4, l4Bytes);
    return (int) (l4 - frame) + l4Bytes;
  }

  private static int l4Bytes(int protocol) {
    return switch (protocol) {
      case IpProtocol.TCP -> Tcp.HEADER;
      case IpProtocol.UDP -> Udp.HEADER + PAYLOAD;
      case IpProtocol.SCTP -> 12 + 20; // common header, INIT chunk
      default -> Icmp.HEADER + PAYLOAD;
    };
  }

  private static void transport(FlowQuery flow, long l3, long l4, int bytes) {
    int from = flow.srcPort() == 0 ? ANY_PORT : flow.srcPort();
    switch (flow.protocol()) {
      case IpProtocol.TCP -> {
        Tcp.write(l4, from, flow.dstPort(), 1, 0, Tcp.SYN);
        checksum(flow, l3, l4, bytes, Tcp.CHECKSUM);
      }
      case IpProtocol.UDP -> {
        Udp.write(l4, from, flow.dstPort(), bytes);
        checksum(flow, l3, l4, bytes, Udp.CHECKSUM);
      }
      case IpProtocol.SCTP -> {
        Memory.putIntBe(l4, from << 16 | flow.dstPort());
        Memory.putIntBe(l4 + 12, 0x0100_0014); // INIT, 20 bytes; nobody checks its checksum here
      }
      case IpProtocol.ICMP -> {
        Icmp.write(l4, Icmp.ECHO, 0, from << 16 | 1);
        Icmp.computeChecksum(l4, bytes);
      }
      default -> {
        Icmpv6.write(l4, Icmpv6.ECHO, 0, from << 16 | 1);
        Icmpv6.computeChecksum(l3, l4, bytes);
      }
    }
  }

  private static void checksum(FlowQuery flow, long l3, long l4, int bytes, int offset) {
    int pseudoHeader =
        flow.ipv6()
            ? Checksum.pseudoHeaderV6(l3, flow.protocol(), bytes)
            : Checksum.pseudoHeaderV4(l3, flow.protocol(), bytes);
    Memory.putShortBe(l4 + offset, pseudoHeader);
    Checksum.complete(l4, bytes, offset);
  }

  @Override
  public void close() {
    area.close();
  }
}
