package io.gatun.tunnel;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.PacketVector;

/**
 * The maximum segment size that a TCP connection announces, made to fit a tunnel (RFC 9293, 3.7.1):
 * for paths where "too big" does not arrive. Stateless.
 */
final class Mss {
  private static final int OPTION = 2;
  private static final int OPTION_BYTES = 4;
  private static final int END = 0;
  private static final int NO_OPERATION = 1;

  private Mss() {}

  /** What packet {@code i} announces, if it opens a connection, is at most what {@code mtu} has. */
  static void clamp(PacketVector v, int i, int mtu) {
    int unfit = PacketVector.LATER_FRAGMENT | PacketVector.FIRST_FRAGMENT;
    long tcp = v.address[i] + v.l4[i];
    if (v.protocol[i] != IpProtocol.TCP
        || (v.flags[i] & unfit) != 0
        || (Tcp.flags(tcp) & Tcp.SYN) == 0) {
      return;
    }
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    int most = mtu - (six ? Ipv6.HEADER : Ipv4.HEADER) - Tcp.HEADER;
    int at = option(tcp, Tcp.headerBytes(tcp));
    if (at != 0 && Memory.getShortBe(tcp + at) > most) {
      set(v, i, tcp, at, most);
    }
  }

  /** Where the value stands, from the header's start; 0 when it is not announced. */
  private static int option(long tcp, int header) {
    int at = Tcp.HEADER;
    while (at < header) {
      int kind = Memory.getByte(tcp + at);
      if (kind == NO_OPERATION) {
        at++;
        continue;
      }
      int bytes = kind == END || at + 1 == header ? 0 : Memory.getByte(tcp + at + 1);
      if (bytes < 2 || at + bytes > header) {
        return 0;
      }
      if (kind == OPTION) {
        return bytes == OPTION_BYTES ? at + 2 : 0;
      }
      at += bytes;
    }
    return 0;
  }

  private static void set(PacketVector v, int i, long tcp, int at, int value) {
    int before = Memory.getShortBe(tcp + at);
    Memory.putShortBe(tcp + at, value);
    if ((v.flags[i] & PacketVector.PARTIAL_CHECKSUM) == 0) {
      // At an odd place its bytes stand in two words of the sum, the other way round.
      boolean odd = (at & 1) != 0;
      int delta = Checksum.delta16(odd ? swapped(before) : before, odd ? swapped(value) : value);
      Tcp.checksum(tcp, Checksum.update(Memory.getShortBe(tcp + Tcp.CHECKSUM), delta));
    }
  }

  private static int swapped(int word) {
    return word >>> 8 | (word & 0xFF) << 8;
  }
}
