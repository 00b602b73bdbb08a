package io.gatun.flow;

import static io.gatun.flow.FlowLayout.ADDRESSES;
import static io.gatun.flow.FlowLayout.DELTAS;
import static io.gatun.flow.FlowLayout.DIRECTION;
import static io.gatun.flow.FlowLayout.KEY;
import static io.gatun.flow.FlowLayout.LINE;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Tcp;
import io.gatun.packet.Udp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;

/**
 * Translates ICMP errors about packets that we translated, so that path MTU discovery and
 * traceroute work through a Service (RFC 5508, REQ-4 and 5). Stands behind the track stage; owned
 * by one worker, the table is shared.
 *
 * <pre>
 *   sent      client ──────────────► front      becomes   source ─────► endpoint ─ ─ ─ ► router
 *   error     router ─► source  [source ─► endpoint]      comes back from the router, and becomes
 *             router ─► client  [client ─► front]
 * </pre>
 *
 * <p>The quote, turned round, is the key of the direction that the error travels in: so its entry
 * says to whom the error goes and, by the other direction's key, what the quoted packet was.
 * Whoever reports keeps its address, unless it is the endpoint itself, which the client does not
 * know, or hides behind a masqueraded source. A flow does not live longer for errors.
 *
 * <p>The error's checksum changes by the difference between the quoted headers' sums before and
 * after: it is right afterwards if it was before.
 */
public final class IcmpErrorStage implements Stage {
  /** Behind the IP header, everything that translation changes is within a TCP checksum's reach. */
  private static final int CHANGED = 18;

  private final FlowTable table;
  private final QuotedPacket quote = new QuotedPacket();

  public IcmpErrorStage(FlowTable table) {
    this.table = table;
  }

  @Override
  public void process(PacketVector v) {
    if (!v.mayHave(PacketVector.ICMP_ERROR)) {
      return;
    }
    for (int i = 0, n = v.size; i < n; i++) {
      int flags = v.flags[i] & (PacketVector.ICMP_ERROR | PacketVector.FIRST_FRAGMENT);
      if (flags == PacketVector.ICMP_ERROR && v.verdict[i] == Verdict.CONTINUE) {
        look(v, i);
      }
    }
  }

  private void look(PacketVector v, int i) {
    boolean ipv6 = (v.flags[i] & PacketVector.IPV6) != 0;
    long icmp = v.address[i] + v.l4[i];
    int quoted = v.l4Length[i] - Icmp.HEADER;
    if (!translated(Icmp.type(icmp), ipv6) || !quote.read(icmp + Icmp.HEADER, quoted, ipv6)) {
      return;
    }
    if (quote.error) {
      v.drop(i, DropReason.BAD_ICMP_QUOTE);
      return;
    }
    long entry = ipv6 ? find6(v, i) : find4(v, i);
    if (entry == 0) {
      return;
    }
    long l3 = v.address[i] + v.l3[i];
    if (!toQuotedSource(l3, ipv6)) {
      v.drop(i, DropReason.BAD_ICMP_QUOTE);
      return;
    }
    translate(l3, icmp, entry, ipv6);
    v.flags[i] |= PacketVector.TRANSLATED;
  }

  /** The errors that concern a flow; redirects, for one, are about a link. */
  private static boolean translated(int type, boolean ipv6) {
    return ipv6
        ? type >= Icmpv6.DESTINATION_UNREACHABLE && type <= Icmpv6.PARAMETER_PROBLEM
        : type == Icmp.DESTINATION_UNREACHABLE
            || type == Icmp.TIME_EXCEEDED
            || type == Icmp.PARAMETER_PROBLEM
            || type == Icmp.SOURCE_QUENCH;
  }

  private long find4(PacketVector v, int i) {
    int source = Ipv4.destination(quote.l3);
    int destination = Ipv4.source(quote.l3);
    int ports = FlowLayout.turned(quote.ports);
    int hash = FlowHash.of(source, destination, ports, quote.protocol);
    v.hash[i] = hash;
    return table.find(hash, source, destination, ports, quote.protocol);
  }

  private long find6(PacketVector v, int i) {
    long sourceHigh = Ipv6.destinationHigh(quote.l3);
    long sourceLow = Ipv6.destinationLow(quote.l3);
    long high = Ipv6.sourceHigh(quote.l3);
    long low = Ipv6.sourceLow(quote.l3);
    int ports = FlowLayout.turned(quote.ports);
    int hash = FlowHash.of(sourceHigh, sourceLow, high, low, ports, quote.protocol);
    v.hash[i] = hash;
    return table.find(hash, sourceHigh, sourceLow, high, low, ports, quote.protocol);
  }

  private boolean toQuotedSource(long l3, boolean ipv6) {
    return ipv6
        ? Ipv6.destinationHigh(l3) == Ipv6.sourceHigh(quote.l3)
            && Ipv6.destinationLow(l3) == Ipv6.sourceLow(quote.l3)
        : Ipv4.destination(l3) == Ipv4.source(quote.l3);
  }

  private void translate(long l3, long icmp, long entry, boolean ipv6) {
    long other = FlowLayout.flowOf(entry) * 2 + LINE - entry;
    int changed = (int) (quote.l4 - quote.l3) + (Math.min(quote.l4Bytes, CHANGED) & ~1);
    int before = Checksum.sum(quote.l3, changed);
    quoted(entry, other, ipv6);
    int delta = Checksum.delta16(before, Checksum.sum(quote.l3, changed));
    if (ipv6) {
      int outer = outer6(l3, entry, other);
      Icmpv6.updateChecksum(icmp, Checksum.combine(delta, outer));
    } else {
      Ipv4.updateChecksum(l3, outer4(l3, entry, other));
      Icmp.updateChecksum(icmp, delta);
    }
  }

  /** Makes the quoted packet what its sender sent: the other direction's key. */
  private void quoted(long entry, long other, boolean ipv6) {
    int deltas = Memory.getInt(entry + DELTAS);
    int pseudoHeader;
    if (ipv6) {
      pseudoHeader = Checksum.pseudoHeaderV6(quote.l3, quote.protocol, quote.wholeL4Bytes);
      for (int word = 0; word < 4; word++) {
        Memory.putLongBe(
            quote.l3 + Ipv6.SOURCE + 8 * word, Memory.getLong(other + ADDRESSES + 8 * word));
      }
    } else {
      pseudoHeader = Checksum.pseudoHeaderV4(quote.l3, quote.protocol, quote.wholeL4Bytes);
      Memory.putLongBe(quote.l3 + Ipv4.SOURCE, Memory.getLong(other + ADDRESSES));
      Ipv4.updateChecksum(quote.l3, deltas >>> 16);
    }
    boolean partial = partial(pseudoHeader);
    // A CRC is over all of it, or left alone.
    boolean cut = quote.protocol == IpProtocol.SCTP && quote.l4Bytes < quote.wholeL4Bytes;
    Transport.translate(
        quote.l4,
        quote.protocol,
        cut ? Transport.QUOTED : quote.l4Bytes,
        (int) (Memory.getLong(other + KEY) >>> 32),
        partial ? deltas >>> 16 : deltas & 0xFFFF,
        partial);
  }

  /** A kernel quotes its own packets as they are, before any device completed their checksum. */
  private boolean partial(int pseudoHeader) {
    return switch (quote.protocol) {
      case IpProtocol.TCP ->
          quote.l4Bytes >= CHANGED
              && Checksum.partial(Memory.getShortBe(quote.l4 + Tcp.CHECKSUM), pseudoHeader);
      case IpProtocol.UDP ->
          Memory.getShortBe(quote.l4 + Udp.CHECKSUM) != 0
              && Checksum.partial(Memory.getShortBe(quote.l4 + Udp.CHECKSUM), pseudoHeader);
      default -> false;
    };
  }

  /** Outer addresses; returns by how much their sum changed. */
  private static int outer4(long l3, long entry, long other) {
    long from = Memory.getLongBe(l3 + Ipv4.SOURCE);
    long key = Memory.getLong(entry + ADDRESSES);
    long otherKey = Memory.getLong(other + ADDRESSES);
    int reporter = (int) (from >>> 32);
    int source = (int) (key >>> 32);
    int newSource = (int) otherKey;
    if (reporter == source || masquerades(entry, source, newSource)) {
      reporter = newSource;
    }
    long to = (long) reporter << 32 | otherKey >>> 32;
    Memory.putLongBe(l3 + Ipv4.SOURCE, to);
    return Checksum.delta64(from, to);
  }

  private static int outer6(long l3, long entry, long other) {
    int before = Checksum.sum(l3 + Ipv6.SOURCE, 32);
    long high = Memory.getLong(entry + ADDRESSES);
    long low = Memory.getLong(entry + ADDRESSES + 8);
    long newHigh = Memory.getLong(other + ADDRESSES + 16);
    long newLow = Memory.getLong(other + ADDRESSES + 24);
    if ((Ipv6.sourceHigh(l3) == high && Ipv6.sourceLow(l3) == low)
        || masquerades(entry, high, newHigh)
        || masquerades(entry, low, newLow)) {
      Ipv6.source(l3, newHigh, newLow);
    }
    Ipv6.destination(l3, Memory.getLong(other + ADDRESSES), Memory.getLong(other + ADDRESSES + 8));
    return Checksum.delta16(before, Checksum.sum(l3 + Ipv6.SOURCE, 32));
  }

  private static boolean masquerades(long entry, long source, long newSource) {
    return Memory.getByte(entry + DIRECTION) == 0 && source != newSource;
  }
}
