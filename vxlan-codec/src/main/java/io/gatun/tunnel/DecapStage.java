package io.gatun.tunnel;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
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
  /** Where UDP starts in a frame without VLAN tags and IP options. */
  private static final int PLAIN_UDP = Ethernet.HEADER + Ipv4.HEADER;

  /** No number of a tunnel. */
  private static final int NOBODY_YET = -1;

  private final ParseStage parse;
  private final boolean[] underlay;
  private final TunnelTable tunnels;
  private final TunnelCounters counters;
  private final boolean clampMss;
  private volatile Vteps vteps = Vteps.EMPTY;
  private volatile Remotes remotes = new Remotes(List.of());

  /** The IPv4 VTEP that a packet was for last: most of the time it is the same again. */
  private int last = Vteps.NONE;

  private Vteps lastVteps = Vteps.EMPTY;

  /** Packets that are not plain. */
  private final int[] rest = new int[PacketVector.CAPACITY];

  /** Of what came out of a tunnel: {@code number of the tunnel << 2 | outer ECN bits}. */
  private final int[] outer = new int[PacketVector.CAPACITY];

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
    if (known != lastVteps) {
      lastVteps = known;
      last = known.firstIpv4();
    }
    Remotes senders = remotes;
    int left = last == Vteps.NONE ? all(v, known) : plain(v, known, senders, last);
    for (int k = 0; k < left; k++) {
      decapsulate(v, rest[k], known, senders);
    }
    if (v.mayHave(PacketVector.FROM_TUNNEL)) {
      parse.parseInner(v);
      left = remarkable(v, known);
      for (int k = 0; k < left; k++) {
        finish(v, rest[k], known);
      }
    }
  }

  /** All that may be for a VTEP, into {@link #rest}. */
  private int all(PacketVector v, Vteps known) {
    int left = 0;
    for (int i = 0, size = v.size; i < size; i++) {
      if (v.protocol[i] == IpProtocol.UDP
          && v.verdict[i] == Verdict.CONTINUE
          && known.hasPort(v.ports[i] & 0xFFFF)) {
        rest[left++] = i;
      }
    }
    return left;
  }

  /**
   * Whole packets for {@code vtep}, an IPv4 one, as Linux sends them: without IP options, VLAN tags
   * and UDP checksum, by far the most. All others that may be for a VTEP, faulty ones included, are
   * written to {@link #rest}; returns how many.
   */
  private int plain(PacketVector v, Vteps known, Remotes senders, int vtep) {
    long[] address = v.address;
    long[] addresses = v.addresses;
    int[] length = v.length;
    int[] flags = v.flags;
    int[] l4s = v.l4;
    int[] protocols = v.protocol;
    int[] l4Length = v.l4Length;
    int[] segmentSize = v.segmentSize;
    int[] ports = v.ports;
    int[] verdict = v.verdict;
    int[] inPort = v.inPort;
    boolean[] allowed = underlay;
    int[] outers = outer;
    int[] others = rest;
    int port = known.port(vtep);
    int vni = known.vni(vtep);
    int destination = known.ipv4(vtep);
    long header = Vxlan.header(vni);
    long mac = known.mac(vtep);
    int left = 0;
    int source = 0;
    int number = NOBODY_YET;
    int packets = 0;
    int bytes = 0;
    for (int i = 0, size = v.size; i < size; i++) {
      if (protocols[i] != IpProtocol.UDP || verdict[i] != Verdict.CONTINUE) {
        continue;
      }
      int to = ports[i] & 0xFFFF;
      if (to != port) {
        if (known.hasPort(to)) {
          others[left++] = i;
        }
        continue;
      }
      long both = addresses[i];
      int in = inPort[i];
      int udpBytes = l4Length[i];
      if (flags[i] != 0
          || segmentSize[i] != 0
          || l4s[i] != PLAIN_UDP
          || (int) both != destination
          || in < 0
          || in >= allowed.length
          || !allowed[in]
          || udpBytes < Udp.HEADER + Vxlan.HEADER + Ethernet.HEADER) {
        others[left++] = i;
        continue;
      }
      long frame = Memory.address(address[i]);
      long inner = frame + PLAIN_UDP + Udp.HEADER + Vxlan.HEADER;
      int type = Ethernet.type(inner);
      // UDP's length is the packet's, and there is no checksum.
      if (Memory.getIntBe(frame + PLAIN_UDP + Udp.LENGTH) != udpBytes << 16
          || (Memory.getLongBe(inner - Vxlan.HEADER) & Vxlan.MEANING) != header
          || Memory.getLongBe(inner) >>> 16 != mac
          || (type != Ethernet.IPV4 && type != Ethernet.IPV6)) {
        others[left++] = i;
        continue;
      }
      int from = (int) (both >>> 32);
      if (from != source || number == NOBODY_YET) {
        if (packets != 0) {
          counters.received(number, packets, bytes);
        }
        source = from;
        number = senders.find(0, from & 0xFFFF_FFFFL, vni);
        packets = 0;
        bytes = 0;
      }
      int innerBytes = udpBytes - Udp.HEADER - Vxlan.HEADER;
      packets++;
      bytes += innerBytes;
      outers[i] = number << 2 | Memory.getByte(frame + Ethernet.HEADER + Ipv4.TOS) & Ecn.MASK;
      address[i] = inner;
      length[i] = innerBytes;
      flags[i] = PacketVector.FROM_TUNNEL;
    }
    if (packets != 0) {
      counters.received(number, packets, bytes);
    }
    return left;
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
    if (!six) {
      last = vtep;
    }
    long inner = vxlan + Vxlan.HEADER;
    int type = Ethernet.type(inner);
    if (known.mac(vtep) == Ethernet.destination(inner)
        && (type == Ethernet.IPV4 || type == Ethernet.IPV6)) {
      int number = senders.find(Words.sourceHigh(l3, six), Words.sourceLow(l3, six), vni);
      counters.received(number, 1, bytes - Vxlan.HEADER);
      outer[i] = number << 2 | Ecn.of(l3, six);
      unwrap(v, i, inner, bytes - Vxlan.HEADER);
    }
  }

  private static void unwrap(PacketVector v, int i, long inner, int bytes) {
    if ((v.flags[i] & PacketVector.INNER_OFFLOAD) != 0) {
      v.flags[i] = PacketVector.PARTIAL_CHECKSUM | PacketVector.FROM_TUNNEL;
      v.csumStart[i] -= (int) (inner - v.address[i]);
    } else {
      v.flags[i] = PacketVector.FROM_TUNNEL;
    }
    v.address[i] = inner;
    v.length[i] = bytes;
  }

  /**
   * Of what came out of tunnels and is parsed, that to which something more may happen: written to
   * {@link #rest}; returns how many.
   */
  private int remarkable(PacketVector v, Vteps known) {
    int[] flags = v.flags;
    int[] verdict = v.verdict;
    int[] protocols = v.protocol;
    int[] ports = v.ports;
    int[] outers = outer;
    int[] others = rest;
    int left = 0;
    for (int i = 0, size = v.size; i < size; i++) {
      if ((flags[i] & PacketVector.FROM_TUNNEL) == 0 || verdict[i] != Verdict.CONTINUE) {
        continue;
      }
      int protocol = protocols[i];
      if ((outers[i] & Ecn.ECT_1) != 0 // or congested: the others leave the inner field alone
          || (protocol == IpProtocol.UDP && known.hasPort(ports[i] & 0xFFFF))
          || (protocol == IpProtocol.TCP && clampMss)) {
        others[left++] = i;
      }
    }
    return left;
  }

  private void finish(PacketVector v, int i, Vteps known) {
    long l3 = v.address[i] + v.l3[i];
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    if (v.protocol[i] == IpProtocol.UDP && known.hasEnd(l3, six, v.ports[i] & 0xFFFF)) {
      v.drop(i, DropReason.NESTED_TUNNEL);
      return;
    }
    int before = Ecn.of(l3, six);
    int after = Ecn.decapsulated(before, outer[i] & Ecn.MASK);
    if (after == Ecn.DROP) {
      v.drop(i, DropReason.CONGESTION_UNMARKABLE);
    } else if (after != before) {
      Ecn.set(l3, six, after);
    }
    int number = outer[i] >>> 2;
    if (clampMss && number != 0) {
      Mss.clamp(v, i, Template.mtu(tunnels.line(number)));
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
