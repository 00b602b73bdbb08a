package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.DELTAS;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LINE;
import static io.gatun.flow.FlowLayout.NEW_ADDRESSES;
import static io.gatun.flow.FlowLayout.NEW_PORTS;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.IpProtocol;

/** Writes both entries of a new flow: keys, rewrites and checksum deltas. */
final class FlowWriter {

  private FlowWriter() {}

  static void entries(long flow, NewFlow f) {
    long reply = flow + LINE;
    Memory.putLong(flow + KEY, f.key());
    Memory.putLong(reply + KEY, f.replyKey());
    long from;
    long to;
    if (f.ipv6) {
      addresses(flow, f.sourceHigh, f.sourceLow, f.destinationHigh, f.destinationLow);
      addresses(reply, f.newDestinationHigh, f.newDestinationLow, f.newSourceHigh, f.newSourceLow);
      from = sum(f.sourceHigh, f.sourceLow, f.destinationHigh, f.destinationLow);
      to = sum(f.newSourceHigh, f.newSourceLow, f.newDestinationHigh, f.newDestinationLow);
    } else {
      long before = f.sourceLow << 32 | f.destinationLow;
      long after = f.newSourceLow << 32 | f.newDestinationLow;
      Memory.putLong(flow + ADDRESSES, before);
      Memory.putLong(reply + ADDRESSES, f.newDestinationLow << 32 | f.newSourceLow);
      Memory.putLong(flow + NEW_ADDRESSES, after);
      Memory.putLong(reply + NEW_ADDRESSES, f.destinationLow << 32 | f.sourceLow);
      Memory.putInt(flow + NEW_PORTS, f.newPorts);
      Memory.putInt(reply + NEW_PORTS, FlowLayout.turned(f.ports));
      from = ChecksumDelta.plus(0, before);
      to = ChecksumDelta.plus(0, after);
    }
    deltas(flow, f, from, to);
  }

  private static void addresses(long entry, long s0, long s1, long d0, long d1) {
    Memory.putLong(entry + ADDRESSES, s0);
    Memory.putLong(entry + ADDRESSES + 8, s1);
    Memory.putLong(entry + ADDRESSES + 16, d0);
    Memory.putLong(entry + ADDRESSES + 24, d1);
  }

  private static long sum(long a, long b, long c, long d) {
    return ChecksumDelta.plus(
        ChecksumDelta.plus(ChecksumDelta.plus(ChecksumDelta.plus(0, a), b), c), d);
  }

  private static void deltas(long flow, NewFlow f, long from, long to) {
    int addresses = ChecksumDelta.between(from, to);
    int addressesBack = ChecksumDelta.between(to, from);
    long l4From = f.protocol == IpProtocol.ICMP ? 0 : from;
    long l4To = f.protocol == IpProtocol.ICMP ? 0 : to;
    if (f.protocol == IpProtocol.ICMP || f.protocol == IpProtocol.ICMPV6) {
      // An echo's identifier stands in the packet once, though twice in the key.
      l4From += f.ports >>> 16;
      l4To += f.newPorts >>> 16;
    } else {
      l4From = ChecksumDelta.plus(l4From, f.ports);
      l4To = ChecksumDelta.plus(l4To, f.newPorts);
    }
    int l4 = ChecksumDelta.between(l4From, l4To);
    int l4Back = ChecksumDelta.between(l4To, l4From);
    Memory.putInt(flow + DELTAS, addresses << 16 | l4);
    Memory.putInt(flow + LINE + DELTAS, addressesBack << 16 | l4Back);
  }
}
