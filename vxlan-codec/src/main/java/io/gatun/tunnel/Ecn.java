package io.gatun.tunnel;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;

/** Explicit congestion notification through a tunnel, RFC 6040 (normal mode). Stateless. */
final class Ecn {
  static final int NOT_CAPABLE = 0;
  static final int ECT_1 = 1;
  static final int CONGESTED = 3;
  static final int MASK = 3;

  /** The packet must be dropped: nobody behind it would notice the mark. */
  static final int DROP = -1;

  private Ecn() {}

  /** The two bits of the IP header at {@code l3}. */
  static int of(long l3, boolean six) {
    return (six ? Ipv6.trafficClass(l3) : Ipv4.tos(l3)) & MASK;
  }

  /** What the inner field becomes on the way out: figure 4 of the RFC; {@link #DROP} for none. */
  static int decapsulated(int inner, int outer) {
    if (outer == CONGESTED) {
      return inner == NOT_CAPABLE ? DROP : CONGESTED;
    }
    return inner != NOT_CAPABLE && inner != CONGESTED && outer == ECT_1 ? ECT_1 : inner;
  }

  /** Writes the two bits into the IP header at {@code l3}, checksum included. */
  static void set(long l3, boolean six, int ecn) {
    if (six) {
      int word = Memory.getIntBe(l3 + Ipv6.VERSION_CLASS_FLOW);
      Memory.putIntBe(l3 + Ipv6.VERSION_CLASS_FLOW, word & ~(MASK << 20) | ecn << 20);
      return;
    }
    int before = Memory.getShortBe(l3);
    int after = before & ~MASK | ecn;
    Memory.putShortBe(l3, after);
    Ipv4.updateChecksum(l3, Checksum.delta16(before, after));
  }
}
