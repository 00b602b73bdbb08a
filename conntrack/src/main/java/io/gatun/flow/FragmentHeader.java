package io.gatun.flow;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.PacketVector;

/**
 * What a fragment says of itself: to which datagram it belongs, and which part of it it is (RFC
 * 791, 3.2; RFC 8200, 4.5). A flyweight over packets that have been through parse; owned by one
 * worker.
 */
final class FragmentHeader {
  /** Bytes of a fragment offset's unit. */
  static final int UNIT = 8;

  private static final int LONGEST_DATAGRAM = 65_535;

  /** Source and destination; IPv4 in the first word, the others 0. */
  long word0;

  long word1;
  long word2;
  long word3;

  /** IPv6: 32 bits; IPv4: 16. */
  int identification;

  /** IPv4: protocol + 1, since ids are unique per protocol there; IPv6: 0. */
  int kind;

  /** First unit, and the one behind the last. */
  int start;

  int end;
  boolean more;

  /** False when length and offset cannot be a fragment's: ragged, empty, or beyond a datagram. */
  boolean read(PacketVector v, int i) {
    long l3 = v.address[i] + v.l3[i];
    int bytes;
    int offset;
    if ((v.flags[i] & PacketVector.IPV6) == 0) {
      word0 = Memory.getLongBe(l3 + Ipv4.SOURCE);
      word1 = 0;
      word2 = 0;
      word3 = 0;
      identification = Ipv4.identification(l3);
      kind = Ipv4.protocol(l3) + 1;
      offset = Ipv4.fragmentOffset(l3);
      more = (Ipv4.fragment(l3) & Ipv4.MORE_FRAGMENTS) != 0;
      bytes = Ipv4.totalLength(l3) - Ipv4.headerBytes(l3);
    } else {
      word0 = Ipv6.sourceHigh(l3);
      word1 = Ipv6.sourceLow(l3);
      word2 = Ipv6.destinationHigh(l3);
      word3 = Ipv6.destinationLow(l3);
      int header = Ipv6.fragmentHeader(l3);
      int word = Memory.getShortBe(l3 + header + 2);
      identification = Memory.getIntBe(l3 + header + 4);
      kind = 0;
      offset = word & ~7;
      more = (word & 1) != 0;
      bytes = Ipv6.HEADER + Ipv6.payloadLength(l3) - header - UNIT;
    }
    start = offset / UNIT;
    end = (offset + bytes + UNIT - 1) / UNIT;
    return bytes > 0 && (!more || bytes % UNIT == 0) && offset + bytes <= LONGEST_DATAGRAM;
  }
}
