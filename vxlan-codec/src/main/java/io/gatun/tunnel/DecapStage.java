package io.gatun.tunnel;

import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Udp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import java.util.Collection;
import java.util.List;

/**
 * Takes the outer headers off what was sent to one of this node's VTEPs, and parses what was inside
 * as if it had just arrived. Belongs to one worker, comes right after parse; only {@link #vteps}
 * and {@link #remotes} are for another thread.
 *
 * <p>Like the kernel's device it takes frames from any sender: a node that joins talks to us before
 * anybody has told us of it. Inner frames that are not to the VTEP's MAC, or neither IPv4 nor IPv6
 * (ARP, say), and outer fragments stay as they came: routes lead them to the host, to the kernel's
 * device. From pods nothing may come in VXLAN, to whomever: it would be taken for a node's.
 */
public final class DecapStage implements Stage {
  private final ParseStage parse;
  private final boolean[] underlay;
  private final TunnelTable tunnels;
  private final TunnelCounters counters;
  private final boolean clampMss;
  private volatile Vteps vteps = Vteps.EMPTY;
  private volatile Remotes remotes = new Remotes(List.of());

  // The sender before: most of the time it is the same again.
  private Remotes lastRemotes = remotes;
  private long lastHigh;
  private long lastLow;
  private int lastVni = -1;
  private int lastNumber;

  /**
   * A stage without VTEPs.
   *
   * @param parse for the inner packets
   * @param underlay whether port n leads to other nodes; from the others, pods', nothing may come
   *     in VXLAN. An entry may change as long as its port belongs to no worker
   * @param clampMss whether new TCP connections are told of their tunnel's MTU
   */
  public DecapStage(
      ParseStage parse,
      boolean[] underlay,
      TunnelTable tunnels,
      TunnelCounters counters,
      boolean clampMss) {
    this.tunnels = tunnels;
    this.clampMss = clampMss;
    this.parse = parse;
    this.underlay = underlay;
    this.counters = counters;
  }

  /** Where tunnels end from the next vector on. Any thread. */
  public void vteps(List<Vtep> now) {
    vteps = new Vteps(now);
  }

  /** By whom received packets are counted from the next vector on. Any thread. */
  public void remotes(Collection<Remote> now) {
    remotes = new Remotes(now);
  }

  @Override
  public void process(PacketVector v) {
    Vteps known = vteps;
    if (!known.isEmpty()) {
      decapsulate(v, known);
    }
    if (v.mayHave(PacketVector.INNER_OFFLOAD)) {
      dropWholeSegments(v);
    }
  }

  /** What another tunnel's packets, on their way through us, would need nobody here can do. */
  private static void dropWholeSegments(PacketVector v) {
    for (int i = 0, size = v.size; i < size; i++) {
      if ((v.flags[i] & PacketVector.INNER_OFFLOAD) != 0 && v.verdict[i] == Verdict.CONTINUE) {
        v.drop(i, DropReason.UNSUPPORTED_OFFLOAD);
      }
    }
  }

  private void decapsulate(PacketVector v, Vteps known) {
    Remotes senders = remotes;
    if (senders != lastRemotes) {
      lastRemotes = senders;
      lastVni = -1;
    }
    for (int i = 0, size = v.size; i < size; i++) {
      if (v.protocol[i] == IpProtocol.UDP
          && v.verdict[i] == Verdict.CONTINUE
          && known.hasPort(v.ports[i] & 0xFFFF)) {
        decapsulate(v, i, known, senders);
      }
    }
  }

  private void decapsulate(PacketVector v, int i, Vteps known, Remotes senders) {
    int flags = v.flags[i];
    if ((flags & PacketVector.LATER_FRAGMENT) != 0) {
      return; // its ports are not its own
    }
    int inPort = v.inPort[i];
    if (inPort < 0 || inPort >= underlay.length || !underlay[inPort]) {
      v.drop(i, DropReason.TUNNEL_FROM_POD);
      return;
    }
    long l3 = v.address[i] + v.l3[i];
    boolean six = (flags & PacketVector.IPV6) != 0;
    int port = v.ports[i] & 0xFFFF;
    if ((flags & PacketVector.FIRST_FRAGMENT) != 0 || !known.hasEnd(l3, six, port)) {
      return; // for the kernel to put together; or somebody else's, on its way through us
    }
    if (v.segmentSize[i] != 0 && (flags & PacketVector.INNER_OFFLOAD) == 0) {
      v.drop(
          i, DropReason.UNSUPPORTED_OFFLOAD); // several in one frame: no device of ours joins them
      return;
    }
    long udp = v.address[i] + v.l4[i];
    long vxlan = udp + Udp.HEADER;
    int bytes = Udp.length(udp) - Udp.HEADER;
    if (!Vxlan.fits(vxlan, bytes) || bytes < Vxlan.HEADER + Ethernet.HEADER || !isIntact(v, i)) {
      v.drop(i, DropReason.BAD_VXLAN);
      return;
    }
    int vni = Vxlan.vni(vxlan);
    int vtep = known.find(l3, six, port, vni);
    if (vtep == Vteps.NONE) {
      v.drop(i, DropReason.UNKNOWN_VNI);
      return;
    }
    long inner = vxlan + Vxlan.HEADER;
    int type = Ethernet.type(inner);
    if (known.mac(vtep) == Ethernet.destination(inner)
        && (type == Ethernet.IPV4 || type == Ethernet.IPV6)) {
      count(senders, l3, six, vni, bytes - Vxlan.HEADER);
      unwrap(v, i, inner, bytes - Vxlan.HEADER, known);
    }
  }

  private void count(Remotes senders, long l3, boolean six, int vni, int bytes) {
    long high = Words.sourceHigh(l3, six);
    long low = Words.sourceLow(l3, six);
    if (low != lastLow || high != lastHigh || vni != lastVni) {
      lastLow = low;
      lastHigh = high;
      lastVni = vni;
      lastNumber = senders.find(high, low, vni);
    }
    counters.received(lastNumber, bytes);
  }

  private void unwrap(PacketVector v, int i, long inner, int bytes, Vteps known) {
    int outer = Ecn.of(v.address[i] + v.l3[i], (v.flags[i] & PacketVector.IPV6) != 0);
    if ((v.flags[i] & PacketVector.INNER_OFFLOAD) != 0) {
      v.flags[i] = PacketVector.PARTIAL_CHECKSUM;
      v.csumStart[i] -= (int) (inner - v.address[i]);
    } else {
      v.flags[i] = 0;
    }
    v.address[i] = inner;
    v.length[i] = bytes;
    parse.parse(v, i);
    if (v.verdict[i] != Verdict.CONTINUE) {
      return;
    }
    v.flags[i] |= PacketVector.FROM_TUNNEL;
    long l3 = inner + v.l3[i];
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    if (v.protocol[i] == IpProtocol.UDP && known.hasEnd(l3, six, v.ports[i] & 0xFFFF)) {
      v.drop(i, DropReason.NESTED_TUNNEL);
      return;
    }
    int before = Ecn.of(l3, six);
    int after = Ecn.decapsulated(before, outer);
    if (after == Ecn.DROP) {
      v.drop(i, DropReason.CONGESTION_UNMARKABLE);
    } else if (after != before) {
      Ecn.set(l3, six, after);
    }
    if (clampMss && lastNumber != 0) {
      Mss.clamp(v, i, Template.mtu(tunnels.line(lastNumber)));
    }
  }

  /** The outer checksum, where there is one: it alone protects the VNI. */
  private static boolean isIntact(PacketVector v, int i) {
    long udp = v.address[i] + v.l4[i];
    int unfinished = PacketVector.PARTIAL_CHECKSUM | PacketVector.INNER_OFFLOAD;
    if (Udp.checksum(udp) == 0 || (v.flags[i] & unfinished) != 0) {
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
}
