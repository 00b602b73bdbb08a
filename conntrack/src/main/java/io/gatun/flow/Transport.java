package io.gatun.flow;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Icmp;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Sctp;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;

/**
 * Gives a transport header, of which perhaps only the beginning is there, other ports and the
 * checksum that goes with them and with other addresses. Stateless; for the rare packets, the
 * others are the {@link RewriteStage}'s.
 */
final class Transport {
  /** RFC 792: what an ICMP error quotes at least of it. */
  static final int QUOTED = 8;

  private Transport() {}

  /**
   * Writes {@code ports} (an ICMP message its identifier) and changes the checksum by {@code
   * delta}, if its field is among the {@code bytes} bytes (at least {@link #QUOTED}) from {@code
   * l4}.
   *
   * @param partial the checksum field holds a bare sum, see {@link Checksum}
   */
  static void translate(long l4, int protocol, int bytes, int ports, int delta, boolean partial) {
    switch (protocol) {
      case IpProtocol.ICMP, IpProtocol.ICMPV6 -> {
        Icmp.identifier(l4, ports >>> 16);
        checksum(l4 + Icmp.CHECKSUM, delta, partial);
      }
      case IpProtocol.TCP -> {
        Memory.putIntBe(l4, ports);
        if (bytes >= Tcp.CHECKSUM + 2) {
          checksum(l4 + Tcp.CHECKSUM, delta, partial);
        }
      }
      case IpProtocol.UDP -> {
        Memory.putIntBe(l4, ports);
        if (partial) {
          checksum(l4 + Udp.CHECKSUM, delta, true);
        } else {
          Udp.updateChecksum(l4, delta);
        }
      }
      case IpProtocol.SCTP -> {
        Memory.putIntBe(l4, ports);
        if (!partial && bytes >= Sctp.HEADER) {
          Sctp.complete(l4, bytes);
        }
      }
      default -> {
        // no ports
      }
    }
  }

  private static void checksum(long at, int delta, boolean partial) {
    int before = Memory.getShortBe(at);
    Memory.putShortBe(
        at, partial ? Checksum.updatePartial(before, delta) : Checksum.update(before, delta));
  }
}
