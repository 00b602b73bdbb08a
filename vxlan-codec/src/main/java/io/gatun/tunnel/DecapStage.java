package io.gatun.tunnel;

import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.packet.Udp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import java.util.List;

/**
 * Takes the outer headers off what was sent to one of this node's VTEPs, and parses what was inside
 * as if it had just arrived. Belongs to one worker, comes right after parse; only {@link #vteps} is
 * for another thread.
 *
 * <p>Like the kernel's device it takes frames from any sender: a node that joins talks to us before
 * anybody has told us of it. Inner frames that are not to the VTEP's MAC, or neither IPv4 nor IPv6
 * (ARP, say), go to the kernel's device as they came.
 */
public final class DecapStage implements Stage {
  private final ParseStage parse;
  private final boolean[] underlay;
  private volatile Vteps vteps = new Vteps(List.of());

  /**
   * @param parse for the inner packets
   * @param underlay whether port n leads to other nodes; from the others, pods', nothing may come
   *     to a VTEP. Ports beyond the array do not
   */
  public DecapStage(ParseStage parse, boolean... underlay) {
    this.parse = parse;
    this.underlay = underlay.clone();
  }

  private DecapStage(ParseStage parse, boolean[] shared, Void unused) {
    this.parse = parse;
    underlay = shared;
  }

  /** The same, but a port's entry may change as long as the port belongs to no worker. */
  public static DecapStage sharing(ParseStage parse, boolean[] underlay) {
    return new DecapStage(parse, underlay, null);
  }

  /** Where tunnels end from the next vector on. Any thread. */
  public void vteps(List<Vtep> now) {
    vteps = new Vteps(now);
  }

  @Override
  public void process(PacketVector v) {
    Vteps known = vteps;
    if (known.isEmpty()) {
      return;
    }
    for (int i = 0, size = v.size; i < size; i++) {
      if (v.protocol[i] == IpProtocol.UDP
          && v.verdict[i] == Verdict.CONTINUE
          && known.hasPort(v.ports[i] & 0xFFFF)) {
        decapsulate(v, i, known);
      }
    }
  }

  private void decapsulate(PacketVector v, int i, Vteps known) {
    if (!known.hasAddress(v, i)) {
      return; // somebody else's tunnel, on its way through us
    }
    if ((v.flags[i] & (PacketVector.LATER_FRAGMENT | PacketVector.FIRST_FRAGMENT)) != 0) {
      v.verdict[i] = Verdict.HOST; // the kernel reassembles
      return;
    }
    int port = v.inPort[i];
    if (port < 0 || port >= underlay.length || !underlay[port]) {
      v.drop(i, DropReason.TUNNEL_FROM_POD);
      return;
    }
    long udp = v.address[i] + v.l4[i];
    long vxlan = udp + Udp.HEADER;
    int bytes = Udp.length(udp) - Udp.HEADER;
    if (!Vxlan.fits(vxlan, bytes) || bytes < Vxlan.HEADER + Ethernet.HEADER || !isIntact(v, i)) {
      v.drop(i, DropReason.BAD_VXLAN);
      return;
    }
    long inner = vxlan + Vxlan.HEADER;
    long mac = known.mac(Vxlan.vni(vxlan), v.ports[i] & 0xFFFF);
    int type = Ethernet.type(inner);
    if (mac == Vteps.NONE) {
      v.drop(i, DropReason.UNKNOWN_VNI);
    } else if (mac != Ethernet.destination(inner)
        || (type != Ethernet.IPV4 && type != Ethernet.IPV6)) {
      v.verdict[i] = Verdict.HOST;
    } else {
      unwrap(v, i, inner, bytes - Vxlan.HEADER, known);
    }
  }

  private void unwrap(PacketVector v, int i, long inner, int bytes, Vteps known) {
    int outer = Ecn.of(v.address[i] + v.l3[i], (v.flags[i] & PacketVector.IPV6) != 0);
    v.address[i] = inner;
    v.length[i] = bytes;
    v.flags[i] = 0;
    parse.parse(v, i);
    if (v.verdict[i] != Verdict.CONTINUE) {
      return;
    }
    if (v.protocol[i] == IpProtocol.UDP
        && known.hasPort(v.ports[i] & 0xFFFF)
        && known.hasAddress(v, i)) {
      v.drop(i, DropReason.NESTED_TUNNEL);
      return;
    }
    long l3 = inner + v.l3[i];
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    int before = Ecn.of(l3, six);
    int after = Ecn.decapsulated(before, outer);
    if (after == Ecn.DROP) {
      v.drop(i, DropReason.CONGESTION_UNMARKABLE);
    } else if (after != before) {
      Ecn.set(l3, six, after);
    }
  }

  /** The outer checksum, where there is one: it alone protects the VNI. */
  private static boolean isIntact(PacketVector v, int i) {
    long udp = v.address[i] + v.l4[i];
    if (Udp.checksum(udp) == 0 || (v.flags[i] & PacketVector.PARTIAL_CHECKSUM) != 0) {
      return true;
    }
    long l3 = v.address[i] + v.l3[i];
    int bytes = Udp.length(udp);
    int pseudoHeader =
        (v.flags[i] & PacketVector.IPV6) != 0
            ? Checksum.pseudoHeaderV6(l3, IpProtocol.UDP, bytes)
            : Checksum.pseudoHeaderV4(l3, IpProtocol.UDP, bytes);
    return Checksum.correct(udp, bytes, pseudoHeader);
  }

  /** This node's VTEPs in flat arrays: there are one or two. Immutable. */
  private static final class Vteps {
    static final long NONE = -1;

    private final int count;
    private final boolean[] six;
    private final long[] high;
    private final long[] low;
    private final int[] port;
    private final int[] vni;
    private final long[] mac;

    Vteps(List<Vtep> vteps) {
      count = vteps.size();
      six = new boolean[count];
      high = new long[count];
      low = new long[count];
      port = new int[count];
      vni = new int[count];
      mac = new long[count];
      for (int k = 0; k < count; k++) {
        Vtep vtep = vteps.get(k);
        six[k] = vtep.isIpv6();
        high[k] = vtep.high();
        low[k] = vtep.low();
        port[k] = vtep.port();
        vni[k] = vtep.vni();
        mac[k] = vtep.mac();
      }
    }

    boolean isEmpty() {
      return count == 0;
    }

    boolean hasPort(int wanted) {
      for (int k = 0; k < count; k++) {
        if (port[k] == wanted) {
          return true;
        }
      }
      return false;
    }

    boolean hasAddress(PacketVector v, int i) {
      long l3 = v.address[i] + v.l3[i];
      boolean packetSix = (v.flags[i] & PacketVector.IPV6) != 0;
      long wantedHigh = packetSix ? Ipv6.destinationHigh(l3) : 0;
      long wantedLow = packetSix ? Ipv6.destinationLow(l3) : Ipv4.destination(l3) & 0xFFFF_FFFFL;
      for (int k = 0; k < count; k++) {
        if (six[k] == packetSix && high[k] == wantedHigh && low[k] == wantedLow) {
          return true;
        }
      }
      return false;
    }

    long mac(int wantedVni, int wantedPort) {
      for (int k = 0; k < count; k++) {
        if (vni[k] == wantedVni && port[k] == wantedPort) {
          return mac[k];
        }
      }
      return NONE;
    }
  }
}
