package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Checksum;
import io.gatun.pipeline.PacketVector;

/** Turns an echo request into its reply in place (RFC 792, 4443), for the route stage to send. */
final class EchoReply {
  private static final int TTL = 64;

  private EchoReply() {}

  static void turn(PacketVector v, int i, boolean ipv6) {
    long l3 = v.address[i] + v.l3[i];
    long l4 = v.address[i] + v.l4[i];
    if (ipv6) {
      for (int word = 0; word < 16; word += 8) {
        long source = Memory.getLong(l3 + Ipv6.SOURCE + word);
        Memory.putLong(l3 + Ipv6.SOURCE + word, Memory.getLong(l3 + Ipv6.DESTINATION + word));
        Memory.putLong(l3 + Ipv6.DESTINATION + word, source);
      }
      Memory.putByte(l3 + Ipv6.HOP_LIMIT, TTL);
    } else {
      int source = Memory.getInt(l3 + Ipv4.SOURCE);
      Memory.putInt(l3 + Ipv4.SOURCE, Memory.getInt(l3 + Ipv4.DESTINATION));
      Memory.putInt(l3 + Ipv4.DESTINATION, source);
      word(l3 + Ipv4.TTL, TTL << 8 | Memory.getByte(l3 + Ipv4.TTL + 1), l3 + Ipv4.CHECKSUM);
    }
    int reply = ipv6 ? Icmpv6.ECHO_REPLY : Icmp.ECHO_REPLY;
    // The pseudo-header's sum does not mind that the addresses changed places.
    word(l4, reply << 8 | Memory.getByte(l4 + 1), l4 + Icmp.CHECKSUM);
  }

  private static void word(long at, int to, long checksumAt) {
    int delta = Checksum.delta16(Memory.getShortBe(at), to);
    Memory.putShortBe(at, to);
    Memory.putShortBe(checksumAt, Checksum.update(Memory.getShortBe(checksumAt), delta));
  }
}
