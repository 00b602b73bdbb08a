package io.gatun.fib;

import static io.gatun.fib.AdjacencyTable.BLACKHOLE;
import static io.gatun.fib.AdjacencyTable.COUNT;
import static io.gatun.fib.AdjacencyTable.FORWARD;
import static io.gatun.fib.AdjacencyTable.GROUP;
import static io.gatun.fib.AdjacencyTable.HOST;
import static io.gatun.fib.AdjacencyTable.KIND;
import static io.gatun.fib.AdjacencyTable.MACS;
import static io.gatun.fib.AdjacencyTable.MEMBERS;
import static io.gatun.fib.AdjacencyTable.MTU;
import static io.gatun.fib.AdjacencyTable.NONE;
import static io.gatun.fib.AdjacencyTable.PORT;
import static io.gatun.fib.AdjacencyTable.PROHIBITED;
import static io.gatun.fib.AdjacencyTable.TUNNEL;
import static io.gatun.fib.AdjacencyTable.UNREACHABLE;

import io.gatun.ffm.memory.Memory;
import io.gatun.fib.lpm.Lpm4;
import io.gatun.fib.lpm.Lpm6;
import io.gatun.packet.Ethernet;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Reversal;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.segment.Segmenter;

/**
 * Finds the way out by the destination as it is now (after rewriting), takes one hop off, and
 * writes the Ethernet header of the next link right before the IP header: VLAN tags that the packet
 * came with are gone. A flow remembers its way ({@link WayOut}). Belongs to one worker.
 *
 * <p>Packets that go on end as {@link Verdict#SEND} with {@code outPort}, as {@link Verdict#HOST},
 * or as drops; where the hops ran out, nothing leads on or the next link's MTU is too small, the
 * sender gets an ICMP error, routed like any packet. An IPv4 packet that may be cut goes on with
 * {@link PacketVector#FRAGMENT}. Packets that hold an {@link Verdict#ANSWER} of ours are routed the
 * same way, keep that verdict, and keep their TTL: they start here. What goes into a tunnel has
 * {@link PacketVector#TUNNEL} and gets its port with the outer headers.
 */
public final class RouteStage implements Stage {
  private static final int CAPACITY = PacketVector.CAPACITY;
  private static final int WAY = WayOut.OFFSET;

  private final Fib fib;
  private final Lpm4 routes4;
  private final Lpm6 routes6;
  private final AdjacencyTable adjacencies;

  // Columns of the packets of one family whose way is not known, gathered.
  private final int[] packets4 = new int[CAPACITY];
  private final int[] destination4 = new int[CAPACITY];
  private final int[] numbers4 = new int[CAPACITY];
  private final int[] packets6 = new int[CAPACITY];
  private final long[] destinationHigh = new long[CAPACITY];
  private final long[] destinationLow = new long[CAPACITY];
  private final int[] numbers6 = new int[CAPACITY];
  private int count4;
  private int count6;

  /** Line of the adjacency of packet {@code i}, 0 when it needs none. */
  private final long[] lines = new long[CAPACITY];

  private final int[] rest = new int[CAPACITY];

  private final Answers answers;
  private final Reversal reversal;

  /** ICMP errors come from {@link Answers}' default address. */
  public RouteStage(Fib fib) {
    this(fib, new Answers());
  }

  /** As below, but translated packets are not answered. */
  public RouteStage(Fib fib, Answers answers) {
    this(fib, answers, Reversal.NONE);
  }

  /**
   * {@code answers} writes the ICMP errors: time exceeded, packet too big; {@code reversal} makes
   * translated packets what their senders know before they are quoted.
   */
  public RouteStage(Fib fib, Answers answers, Reversal reversal) {
    this.answers = answers;
    this.reversal = reversal;
    this.fib = fib;
    routes4 = fib.routes4();
    routes6 = fib.routes6();
    adjacencies = fib.adjacencies();
  }

  @Override
  public void process(PacketVector v) {
    long generation = fib.generation();
    remember(v, generation);
    if (count4 != 0) {
      routes4.lookup(destination4, numbers4, count4);
      learn(v, generation, packets4, numbers4, count4);
    }
    if (count6 != 0) {
      routes6.lookup(destinationHigh, destinationLow, numbers6, count6);
      learn(v, generation, packets6, numbers6, count6);
    }
    int left = forward(v);
    for (int k = 0; k < left; k++) {
      route(v, rest[k], resolve(v, rest[k], lines[rest[k]]));
    }
  }

  /** The ways that flows know, and the destinations of all other packets. */
  private void remember(PacketVector v, long generation) {
    long slots = adjacencies.slots();
    long[] flow = v.flow;
    int[] verdicts = v.verdict;
    int[] flags = v.flags;
    long[] found = lines;
    count4 = 0;
    count6 = 0;
    for (int i = 0, n = v.size; i < n; i++) {
      int verdict = verdicts[i];
      long line = 0;
      if ((flags[i] & PacketVector.SWITCHED) != 0 && isSwitched(v, i, verdict)) {
        verdicts[i] = Verdict.SEND;
      } else if (verdict == Verdict.CONTINUE || verdict == Verdict.ANSWER) {
        long word = remembers(flow[i], verdict, flags[i]) ? Memory.getLong(flow[i] + WAY) : 0;
        if (WayOut.current(word, generation)) {
          line = AdjacencyTable.line(slots, WayOut.adjacency(word));
        } else {
          gather(v, i);
        }
      }
      found[i] = line;
    }
  }

  /** A bridged packet that was given another destination is routed there. */
  private static boolean isSwitched(PacketVector v, int i, int verdict) {
    long l3 = v.address[i] + v.l3[i];
    return verdict == Verdict.CONTINUE
        && ((v.flags[i] & PacketVector.IPV6) == 0
            ? (int) v.addresses[i] == Ipv4.destination(l3)
            : v.addresses[i] == Ipv6.destinationLow(l3));
  }

  /** What an ICMP error is about has a flow, but the error goes its own way. */
  private static boolean remembers(long flow, int verdict, int flags) {
    return flow != 0 && verdict == Verdict.CONTINUE && (flags & PacketVector.ICMP_ERROR) == 0;
  }

  /** Its destination; of what no router may forward (RFC 1812, 5.3.7; RFC 4291, 2.5.6), the end. */
  private void gather(PacketVector v, int i) {
    long l3 = v.address[i] + v.l3[i];
    if ((v.flags[i] & PacketVector.IPV6) == 0) {
      int destination = Ipv4.destination(l3);
      if (Ipv4.multicast(destination) || destination == Ipv4.BROADCAST) {
        v.drop(i, DropReason.BAD_IP_ADDRESS);
        return;
      }
      packets4[count4] = i;
      destination4[count4++] = destination;
    } else {
      long high = Ipv6.destinationHigh(l3);
      if (Ipv6.multicast(high) || Ipv6.linkLocal(high)) {
        v.drop(i, DropReason.BAD_IP_ADDRESS);
        return;
      }
      packets6[count6] = i;
      destinationHigh[count6] = high;
      destinationLow[count6++] = Ipv6.destinationLow(l3);
    }
  }

  private void learn(PacketVector v, long generation, int[] packets, int[] numbers, int count) {
    long slots = adjacencies.slots();
    for (int k = 0; k < count; k++) {
      int i = packets[k];
      lines[i] = AdjacencyTable.line(slots, numbers[k]);
      if (remembers(v.flow[i], v.verdict[i], v.flags[i])) {
        Memory.putLong(v.flow[i] + WAY, WayOut.word(generation, numbers[k]));
      }
    }
  }

  /**
   * Ordinary IPv4 packets to a neighbour or into a tunnel, by far the most, in a loop that calls
   * nothing. All others are left in {@link #rest}; returns how many.
   */
  private int forward(PacketVector v) {
    long[] found = lines;
    long[] address = v.address;
    int[] length = v.length;
    int[] l3s = v.l3;
    int[] flags = v.flags;
    int[] verdict = v.verdict;
    int[] segmentSize = v.segmentSize;
    int[] outPort = v.outPort;
    int[] tunnel = v.tunnel;
    int[] others = rest;
    int left = 0;
    for (int i = 0, n = v.size; i < n; i++) {
      long line = Memory.address(found[i]);
      if (line == 0) {
        continue;
      }
      long frame = Memory.address(address[i]);
      // TTL, protocol, checksum.
      int word = Memory.getIntBe(frame + Ethernet.HEADER + Ipv4.TTL);
      int kind = Memory.getInt(line + KIND);
      if ((kind != FORWARD && kind != TUNNEL)
          || verdict[i] != Verdict.CONTINUE
          || l3s[i] != Ethernet.HEADER
          || (flags[i] & PacketVector.IPV6) != 0
          || segmentSize[i] != 0
          || length[i] - Ethernet.HEADER > Memory.getInt(line + MTU)
          || word >>> 24 < 2) {
        others[left++] = i;
        continue;
      }
      Memory.putIntBe(
          frame + Ethernet.HEADER + Ipv4.TTL,
          (word & 0xFFFF_0000) - 0x0100_0000 | checksumAfterHop(word & 0xFFFF));
      Memory.putLong(frame, Memory.getLong(line + MACS));
      Memory.putInt(frame + 8, Memory.getInt(line + MACS + 8));
      int way = Memory.getInt(line + PORT);
      outPort[i] = way;
      if (kind == TUNNEL) {
        flags[i] |= PacketVector.TUNNEL;
        tunnel[i] = way;
      }
      verdict[i] = Verdict.SEND;
    }
    return left;
  }

  /** RFC 1624, equation 3, for a word that falls by 0x0100: ~m + m' is always 0xFEFF. */
  private static int checksumAfterHop(int checksum) {
    int sum = (~checksum & 0xFFFF) + 0xFEFF;
    return ~(sum + (sum >>> 16)) & 0xFFFF;
  }

  /**
   * A group's member by the packet's flow hash; other lines stand for themselves. Rendezvous: each
   * member draws a number for the flow, the highest has it, so that a member that goes takes no
   * other's flows with it (RFC 2992 compares the ways). One of more weight draws several times.
   */
  private long resolve(PacketVector v, int i, long line) {
    if (Memory.getInt(line + KIND) != GROUP) {
      return line;
    }
    int hash = v.hash[i];
    int count = Memory.getInt(line + COUNT);
    int chosen = 0;
    int highest = Integer.MIN_VALUE;
    int previous = 0;
    int draw = 0;
    for (int k = 0; k < count; k++) {
      int member = Memory.getInt(line + MEMBERS + k * 4L);
      draw = member == previous ? draw + 1 : 0;
      previous = member;
      int drawn = mix(hash ^ mix(member << 4 | draw));
      if (drawn >= highest) {
        highest = drawn;
        chosen = member;
      }
    }
    return adjacencies.line(chosen);
  }

  /** MurmurHash3's last step: every bit of the result depends on every bit of {@code h}. */
  private static int mix(int h) {
    h = (h ^ h >>> 16) * 0x85EB_CA6B;
    h = (h ^ h >>> 13) * 0xC2B2_AE35;
    return h ^ h >>> 16;
  }

  private void route(PacketVector v, int i, long line) {
    int kind = Memory.getInt(line + KIND);
    boolean answer = v.verdict[i] == Verdict.ANSWER;
    if (kind > HOST || kind == NONE) {
      DropReason reason = dropReason(kind);
      if (answer || reason == DropReason.BLACKHOLE_ROUTE || reason == DropReason.NO_NEIGHBOUR) {
        v.drop(i, reason);
      } else {
        report(v, i, reason, 0);
      }
      return;
    }
    long l3 = v.address[i] + v.l3[i];
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    if (kind <= TUNNEL && !answer) {
      int mtu = Memory.getInt(line + MTU);
      if (Segmenter.largest(v, i) > mtu) {
        if (six || (Ipv4.fragment(l3) & Ipv4.DONT_FRAGMENT) != 0) {
          report(v, i, DropReason.TOO_BIG, mtu);
          return;
        }
        v.flags[i] |= PacketVector.FRAGMENT;
        v.mtu[i] = mtu;
      }
      if (!takeHop(l3, six)) {
        report(v, i, DropReason.TTL_EXCEEDED, 0);
        return;
      }
    }
    writeEthernet(v, i, l3, line, six);
    if (kind == TUNNEL) {
      v.flags[i] |= PacketVector.TUNNEL;
      v.tunnel[i] = Memory.getInt(line + PORT);
    } else {
      v.outPort[i] = Memory.getInt(line + PORT);
    }
    if (kind == HOST) {
      v.verdict[i] = Verdict.HOST;
    } else if (!answer) {
      v.verdict[i] = Verdict.SEND;
    }
  }

  /** The next hop of packet {@code i} has not answered: its sender is told. */
  void hostUnreachable(PacketVector v, int i) {
    report(v, i, DropReason.NO_NEIGHBOUR, 0);
  }

  /**
   * Drops the packet or turns it into an ICMP error and routes that. A translated packet becomes
   * again what its sender sent: a client has never heard of the endpoint.
   */
  private void report(PacketVector v, int i, DropReason reason, int mtu) {
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    boolean translated = (v.flags[i] & PacketVector.TRANSLATED) != 0;
    if (translated && !reversal.undo(v, i)) {
      v.drop(i, reason);
      return;
    }
    switch (reason) {
      case TOO_BIG -> answers.tooBig(v, i, mtu);
      case TTL_EXCEEDED -> answers.timeExceeded(v, i);
      case NO_ROUTE -> answers.noRoute(v, i, reason);
      case PROHIBITED_ROUTE -> answers.prohibited(v, i, reason);
      case NO_NEIGHBOUR -> answers.hostUnreachable(v, i, reason);
      // ip6_pkt_discard (net/ipv6/route.c): IPv6 calls such a route none.
      default -> answers.unreachable(v, i, Icmp.HOST_UNREACHABLE, Icmpv6.NO_ROUTE, reason);
    }
    if (v.verdict[i] == Verdict.ANSWER) {
      long l3 = v.address[i] + v.l3[i];
      int number =
          six
              ? routes6.lookup(Ipv6.destinationHigh(l3), Ipv6.destinationLow(l3))
              : routes4.lookup(Ipv4.destination(l3));
      route(v, i, resolve(v, i, adjacencies.line(number)));
      if (v.verdict[i] == Verdict.DROP && v.dropReason[i] != DropReason.NO_NEIGHBOUR.code()) {
        v.dropReason[i] = reason.code(); // what it is about counts, not why nobody can be told
      }
    }
  }

  private static DropReason dropReason(int kind) {
    return switch (kind) {
      case NONE -> DropReason.NO_ROUTE;
      case BLACKHOLE -> DropReason.BLACKHOLE_ROUTE;
      case UNREACHABLE -> DropReason.UNREACHABLE_ROUTE;
      case PROHIBITED -> DropReason.PROHIBITED_ROUTE;
      default -> DropReason.NO_NEIGHBOUR; // unresolved, or a group in a group
    };
  }

  /** False, with nothing changed, when there was none left. */
  private static boolean takeHop(long l3, boolean six) {
    if (six) {
      int hops = Ipv6.hopLimit(l3);
      if (hops < 2) {
        return false;
      }
      Ipv6.hopLimit(l3, hops - 1);
      return true;
    }
    int word = Memory.getShortBe(l3 + Ipv4.TTL);
    if (word < 0x200) {
      return false;
    }
    Memory.putByte(l3 + Ipv4.TTL, (word >>> 8) - 1);
    Ipv4.checksum(l3, checksumAfterHop(Ipv4.checksum(l3)));
    return true;
  }

  private static void writeEthernet(PacketVector v, int i, long l3, long line, boolean six) {
    long frame = l3 - Ethernet.HEADER;
    Memory.putLong(frame, Memory.getLong(line + MACS));
    Memory.putInt(frame + 8, Memory.getInt(line + MACS + 8));
    Ethernet.type(frame, six ? Ethernet.IPV6 : Ethernet.IPV4);
    int tags = v.l3[i] - Ethernet.HEADER;
    if (tags != 0) {
      v.address[i] += tags;
      v.length[i] -= tags;
      v.l3[i] -= tags;
      v.l4[i] -= tags;
    }
  }
}
