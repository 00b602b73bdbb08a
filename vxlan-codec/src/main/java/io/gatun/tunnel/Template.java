package io.gatun.tunnel;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Udp;
import java.nio.ByteBuffer;

/**
 * Layout of a tunnel's line, 128 bytes: the outer headers as on the wire, from offset 0, then what
 * encapsulation needs to know.
 *
 * <pre>
 *   0          14        34    42      50          70 (IPv6)   96        100     104   108   112
 *   │ Ethernet │ IPv4    │ UDP │ VXLAN │ …                     │ bytes   │ port  │ sum │ MTU │
 * </pre>
 *
 * The length fields, identification, ECN bits, UDP source port and checksums are 0 in it.
 */
final class Template {
  static final int LINE = 128;
  static final int BYTES_4 = Ethernet.HEADER + Ipv4.HEADER + Udp.HEADER + Vxlan.HEADER;
  static final int BYTES_6 = Ethernet.HEADER + Ipv6.HEADER + Udp.HEADER + Vxlan.HEADER;

  /** Int: length of the headers, 0 where there is no tunnel. */
  static final int BYTES = 96;

  /** Int: number of the underlay's port. */
  static final int OUT_PORT = 100;

  /** Int: folded sum of the IPv4 header as it stands here. */
  static final int SUM = 104;

  /** Int: MTU of inner packets. */
  static final int MTU = 108;

  private Template() {}

  /** Fills the zeroed {@code line}. */
  static void fill(long line, Tunnel tunnel) {
    Ethernet.destination(line, tunnel.destinationMac());
    Ethernet.source(line, tunnel.sourceMac());
    long l3 = line + Ethernet.HEADER;
    int headers = tunnel.overhead();
    ByteBuffer local = ByteBuffer.wrap(tunnel.local().getAddress());
    ByteBuffer remote = ByteBuffer.wrap(tunnel.remote().getAddress());
    int dscp = tunnel.tos() & ~Ecn.MASK;
    if (tunnel.isIpv6()) {
      Ethernet.type(line, Ethernet.IPV6);
      Ipv6.write(l3, 0, IpProtocol.UDP, Tunnel.TTL);
      Memory.putIntBe(l3, 6 << 28 | dscp << 20);
      Ipv6.source(l3, local.getLong(), local.getLong());
      Ipv6.destination(l3, remote.getLong(), remote.getLong());
    } else {
      Ethernet.type(line, Ethernet.IPV4);
      Memory.putShortBe(l3, 0x4500 | dscp);
      Memory.putShortBe(l3 + Ipv4.FRAGMENT, tunnel.dontFragment() ? Ipv4.DONT_FRAGMENT : 0);
      Memory.putByte(l3 + Ipv4.TTL, Tunnel.TTL);
      Memory.putByte(l3 + Ipv4.PROTOCOL, IpProtocol.UDP);
      Ipv4.source(l3, local.getInt());
      Ipv4.destination(l3, remote.getInt());
      Memory.putInt(line + SUM, Checksum.sum(l3, Ipv4.HEADER));
    }
    long vxlan = line + headers - Vxlan.HEADER;
    Udp.destinationPort(vxlan - Udp.HEADER, tunnel.port());
    Vxlan.write(vxlan, tunnel.vni());
    Memory.putInt(line + OUT_PORT, tunnel.outPort());
    Memory.putInt(line + MTU, tunnel.mtu());
    Memory.putInt(line + BYTES, headers);
  }

  /** A tunnel that is gone has none, and nothing is larger than that. */
  static int mtu(long line) {
    int mtu = Memory.getInt(line + MTU);
    return mtu == 0 ? 0xFFFF : mtu;
  }

  static int bytes(long line) {
    return Memory.getInt(line + BYTES);
  }
}
