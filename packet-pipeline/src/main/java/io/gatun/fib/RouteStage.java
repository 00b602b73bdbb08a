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
import static io.gatun.fib.AdjacencyTable.UNREACHABLE;

import io.gatun.ffm.memory.Memory;
import io.gatun.fib.lpm.Lpm4;
import io.gatun.fib.lpm.Lpm6;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Reversal;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;

/**
 * Finds the way out by the destination as it is now (after rewriting), takes one hop off, and
 * writes the Ethernet header of the next link right before the IP header: VLAN tags that the packet
 * came with are gone. Belongs to one worker.
 *
 * <p>Packets that go on end as {@link Verdict#SEND} with {@code outPort}, as {@link Verdict#HOST},
 * or as drops; where the hops ran out or the next link's MTU is too small, the sender gets an ICMP
 * error, routed like any packet. Packets that hold an {@link Verdict#ANSWER} of ours are routed the
 * same way, keep that verdict, and keep their TTL: they start here.
 */
public final class RouteStage implements Stage {
  private static final int CAPACITY = PacketVector.CAPACITY;

  private final Lpm4 routes4;
  private final Lpm6 routes6;
  private final AdjacencyTable adjacencies;

  // Columns of the packets of one family, gathered: packet[k] has destination[k].
  private final int[] packets4 = new int[CAPACITY];
  private final int[] destination4 = new int[CAPACITY];
  private final int[] numbers4 = new int[CAPACITY];
  private final int[] packets6 = new int[CAPACITY];
  private final long[] destinationHigh = new long[CAPACITY];
  private final long[] destinationLow = new long[CAPACITY];
  private final int[] numbers6 = new int[CAPACITY];
  private final long[] lines = new long[CAPACITY];

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
    routes4 = fib.routes4();
    routes6 = fib.routes6();
    adjacencies = fib.adjacencies();
  }

  @Override
  public void process(PacketVector v) {
    int count4 = 0;
    int count6 = 0;
    for (int i = 0; i < v.size; i++) {
      int verdict = v.verdict[i];
      if (verdict == Verdict.CONTINUE || verdict == Verdict.ANSWER) {
        long l3 = v.address[i] + v.l3[i];
        if ((v.flags[i] & PacketVector.IPV6) == 0) {
          packets4[count4] = i;
          destination4[count4++] = Ipv4.destination(l3);
        } else {
          packets6[count6] = i;
          destinationHigh[count6] = Ipv6.destinationHigh(l3);
          destinationLow[count6++] = Ipv6.destinationLow(l3);
        }
      }
    }
    if (count4 != 0) {
      routes4.lookup(destination4, numbers4, count4);
      resolve(v, packets4, numbers4, count4);
      for (int k = 0; k < count4; k++) {
        route(v, packets4[k], lines[k]);
      }
    }
    if (count6 != 0) {
      routes6.lookup(destinationHigh, destinationLow, numbers6, count6);
      resolve(v, packets6, numbers6, count6);
      for (int k = 0; k < count6; k++) {
        route(v, packets6[k], lines[k]);
      }
    }
  }

  private void resolve(PacketVector v, int[] packets, int[] numbers, int count) {
    for (int k = 0; k < count; k++) {
      lines[k] = resolve(v, packets[k], numbers[k]);
    }
  }

  /** Adjacency number to line, a group's member by the packet's flow hash. */
  private long resolve(PacketVector v, int i, int number) {
    int chosen = number;
    long line = adjacencies.line(number);
    if (Memory.getInt(line + KIND) == GROUP) {
      // The high half of hash × count spreads evenly over 0 … count − 1 without a division.
      long share = (v.hash[i] & 0xFFFF_FFFFL) * Memory.getInt(line + COUNT) >>> 32;
      chosen = Memory.getInt(line + MEMBERS + share * 4);
      line = adjacencies.line(chosen);
    }
    v.adjacency[i] = chosen;
    return line;
  }

  private void route(PacketVector v, int i, long line) {
    int kind = Memory.getInt(line + KIND);
    if (kind > HOST || kind == NONE) {
      v.drop(i, dropReason(kind));
      return;
    }
    boolean answer = v.verdict[i] == Verdict.ANSWER;
    long l3 = v.address[i] + v.l3[i];
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    if (kind == FORWARD && !answer) {
      int mtu = Memory.getInt(line + MTU);
      if (tooBig(v, i, l3, mtu)) {
        report(v, i, DropReason.TOO_BIG, mtu);
        return;
      }
      if (!takeHop(l3, six)) {
        report(v, i, DropReason.TTL_EXCEEDED, 0);
        return;
      }
    }
    writeEthernet(v, i, l3, line, six);
    v.outPort[i] = Memory.getInt(line + PORT);
    if (kind == HOST) {
      v.verdict[i] = Verdict.HOST;
    } else if (!answer) {
      v.verdict[i] = Verdict.SEND;
    }
  }

  /**
   * Drops the packet or turns it into an ICMP error and routes that. A translated packet becomes
   * again what its sender sent: a client has never heard of the endpoint.
   */
  private void report(PacketVector v, int i, DropReason reason, int mtu) {
    long l3 = v.address[i] + v.l3[i];
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    boolean tooBig = reason == DropReason.TOO_BIG;
    boolean fragmentable = !six && (Ipv4.fragment(l3) & Ipv4.DONT_FRAGMENT) == 0;
    boolean translated = (v.flags[i] & PacketVector.TRANSLATED) != 0;
    if ((tooBig && fragmentable) || (translated && !reversal.undo(v, i))) {
      v.drop(i, reason);
      return;
    }
    if (tooBig) {
      answers.tooBig(v, i, mtu);
    } else {
      answers.timeExceeded(v, i);
    }
    if (v.verdict[i] == Verdict.ANSWER) {
      l3 = v.address[i] + v.l3[i];
      int number =
          six
              ? routes6.lookup(Ipv6.destinationHigh(l3), Ipv6.destinationLow(l3))
              : routes4.lookup(Ipv4.destination(l3));
      route(v, i, resolve(v, i, number));
    }
  }

  private static DropReason dropReason(int kind) {
    return switch (kind) {
      case NONE -> DropReason.NO_ROUTE;
      case BLACKHOLE, UNREACHABLE -> DropReason.BLACKHOLE_ROUTE;
      default -> DropReason.NO_NEIGHBOUR; // unresolved, or a group in a group
    };
  }

  /** A super-frame counts as the segments that it will be sent as. */
  private static boolean tooBig(PacketVector v, int i, long l3, int mtu) {
    int headers = v.l4[i] - v.l3[i];
    int segment = v.segmentSize[i];
    if (segment == 0) {
      return headers + v.l4Length[i] > mtu;
    }
    int l4Header = v.protocol[i] == IpProtocol.TCP ? Tcp.headerBytes(l3 + headers) : 8;
    return headers + l4Header + segment > mtu;
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
    // RFC 1624, equation 3, for a word that falls by 0x0100: ~m + m' is always 0xFEFF.
    int sum = (~Ipv4.checksum(l3) & 0xFFFF) + 0xFEFF;
    Ipv4.checksum(l3, ~(sum + (sum >>> 16)));
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
