package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.DELTAS;
import static io.gatun.flow.FlowLayout.KEY;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Reversal;

/**
 * Undoes what {@link RewriteStage} did to a packet: its entry's key is what it came with.
 * Stateless; for packets of the vector under way, whose entries stand still.
 */
public final class FlowReversal implements Reversal {
  @Override
  public boolean undo(PacketVector v, int i) {
    long entry = v.flow[i];
    if (entry == 0) {
      return false;
    }
    long l3 = v.address[i] + v.l3[i];
    int deltas = Memory.getInt(entry + DELTAS);
    int addresses = Checksum.inverse(deltas >>> 16);
    if ((v.flags[i] & PacketVector.IPV6) == 0) {
      Memory.putLongBe(l3 + Ipv4.SOURCE, Memory.getLong(entry + ADDRESSES));
      Ipv4.updateChecksum(l3, addresses);
    } else {
      for (int word = 0; word < 4; word++) {
        Memory.putLongBe(l3 + Ipv6.SOURCE + 8 * word, Memory.getLong(entry + ADDRESSES + 8 * word));
      }
    }
    int ports = (int) (Memory.getLong(entry + KEY) >>> 32);
    if ((v.flags[i] & PacketVector.LATER_FRAGMENT) == 0) {
      long l4 = v.address[i] + v.l4[i];
      boolean partial = (v.flags[i] & PacketVector.PARTIAL_CHECKSUM) != 0;
      int l4Delta = partial ? addresses : Checksum.inverse(deltas & 0xFFFF);
      Transport.translate(l4, v.protocol[i], v.l4Length[i], ports, l4Delta, partial);
    }
    v.ports[i] = ports;
    v.flags[i] &= ~PacketVector.TRANSLATED;
    return true;
  }
}
