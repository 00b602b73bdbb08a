package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.FlowTable;
import io.gatun.flow.TrackStage;
import io.gatun.packet.Icmp;
import io.gatun.packet.Icmpv6;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * Decides on packets that have no flow: what is for a front gets one, so that the rewrite stage
 * translates it with the others; what is for nobody's address is left alone. Owned by one worker;
 * the tables are shared.
 */
public final class ServiceStage implements Stage {
  private final ServiceTable services;
  private final TrackStage track;
  private final Answers answers;
  private final Connector connector;
  private final @Nullable Decision decision;
  private final long[] home = new long[PacketVector.CAPACITY];

  /** Where touched words end, so that the compiler keeps the touching. */
  @SuppressWarnings("UnusedVariable")
  private long sink;

  /** With answers of its own: they all come from the Service's address, so need none of ours. */
  public ServiceStage(
      ServiceTable services, FlowTable flows, SourceAddresses sources, TrackStage track) {
    this(services, flows, sources, track, new Answers());
  }

  /** {@code track} and {@code answers} are this worker's; {@code track} comes before this stage. */
  public ServiceStage(
      ServiceTable services,
      FlowTable flows,
      SourceAddresses sources,
      TrackStage track,
      Answers answers) {
    this(services, flows, sources, track, answers, null);
  }

  /**
   * The same for packets that nobody sent.
   *
   * @param decision where what is decided is written; null for a worker's
   */
  ServiceStage(
      ServiceTable services,
      FlowTable flows,
      SourceAddresses sources,
      TrackStage track,
      Answers answers,
      @Nullable Decision decision) {
    this.answers = answers;
    this.services = services;
    this.track = track;
    this.decision = decision;
    this.connector =
        new Connector(flows, services.affinities(), services.direct(), sources, answers, decision);
  }

  @Override
  public void process(PacketVector v) {
    FrontSlots slots = services.slots();
    if (touch(v, slots)) {
      decide(v, slots, services.cidrs(), services.clients());
    }
  }

  /** Reads the first slot of every address that is to be looked up, so that the misses overlap. */
  private boolean touch(PacketVector v, FrontSlots slots) {
    long[] homes = home;
    long touched = 0;
    boolean any = false;
    for (int i = 0, n = v.size; i < n; i++) {
      homes[i] = 0;
      if (v.verdict[i] != Verdict.CONTINUE
          || v.flow[i] != 0
          || (v.flags[i] & PacketVector.ICMP_ERROR) != 0) {
        continue;
      }
      long l3 = v.address[i] + v.l3[i];
      boolean ipv6 = (v.flags[i] & PacketVector.IPV6) != 0;
      long slot = slots.home(high(l3, ipv6), low(l3, ipv6), FrontSlots.address(ipv6));
      touched += Memory.getLong(slot);
      homes[i] = slot;
      any = true;
    }
    sink = touched;
    return any;
  }

  private static long high(long l3, boolean ipv6) {
    return ipv6 ? Memory.getLongBe(l3 + Ipv6.DESTINATION) : 0;
  }

  private static long sourceHigh(long l3, boolean ipv6) {
    return ipv6 ? Memory.getLongBe(l3 + Ipv6.SOURCE) : 0;
  }

  private static long sourceLow(long l3, boolean ipv6) {
    return ipv6
        ? Memory.getLongBe(l3 + Ipv6.SOURCE + 8)
        : Memory.getIntBe(l3 + Ipv4.SOURCE) & 0xFFFFFFFFL;
  }

  private static long low(long l3, boolean ipv6) {
    return ipv6
        ? Memory.getLongBe(l3 + Ipv6.DESTINATION + 8)
        : Memory.getIntBe(l3 + Ipv4.DESTINATION) & 0xFFFFFFFFL;
  }

  private void decide(PacketVector v, FrontSlots slots, Prefixes cidrs, Clients clients) {
    connector.begin(track.tick());
    for (int i = 0, n = v.size; i < n; i++) {
      long slot = home[i];
      if (slot == 0) {
        continue;
      }
      long l3 = v.address[i] + v.l3[i];
      boolean ipv6 = (v.flags[i] & PacketVector.IPV6) != 0;
      long high = high(l3, ipv6);
      long low = low(l3, ipv6);
      long known = slots.find(slot, high, low, FrontSlots.address(ipv6));
      Decision d = decision;
      if (d != null) {
        d.serviceAddress = (known & ServiceTable.SERVICE) != 0;
        d.ownAddress = (known & ServiceTable.OWN) != 0;
      }
      if ((known & (ServiceTable.SERVICE | ServiceTable.OWN)) != 0
          && clients.others(v.inPort[i])
          && isOwn(slots, l3, ipv6)) {
        v.drop(i, DropReason.BAD_IP_ADDRESS); // the host's end of the pair would accept it
        continue;
      }
      if ((known & ServiceTable.SERVICE) != 0) {
        if (forService(v, i, slots, clients, known, ipv6, high, low)) {
          continue;
        }
      } else if ((known & ServiceTable.FLAGS) == 0 && cidrs.contain(ipv6, high, low)) {
        v.drop(i, DropReason.UNASSIGNED_SERVICE_ADDRESS);
        continue;
      }
      if (clients.egress(ipv6)
          && (known & ServiceTable.OWN) == 0
          && egress(v, i, slots, clients, ipv6, high, low)) {
        continue;
      }
      if (known >= ServiceTable.ENDPOINT && v.flow[i] == 0 && hasPorts(v, i)) {
        connector.direct(v, i);
      }
    }
    connector.finish(v);
  }

  /** Whether the packet says that this node has sent it. */
  private static boolean isOwn(FrontSlots slots, long l3, boolean ipv6) {
    long source = slots.find(sourceHigh(l3, ipv6), sourceLow(l3, ipv6), FrontSlots.address(ipv6));
    return (source & ServiceTable.OWN) != 0;
  }

  /** And needs no flow to have got as far as here. */
  private boolean hasPorts(PacketVector v, int i) {
    int protocol = v.protocol[i];
    return decision == null
        && v.verdict[i] == Verdict.CONTINUE
        && (v.flags[i] & PacketVector.LATER_FRAGMENT) == 0
        && (protocol == IpProtocol.TCP
            || protocol == IpProtocol.UDP
            || protocol == IpProtocol.SCTP);
  }

  /** False when the packet only has the same address as a Service. */
  private boolean forService(
      PacketVector v,
      int i,
      FrontSlots slots,
      Clients clients,
      long known,
      boolean ipv6,
      long high,
      long low) {
    int protocol = v.protocol[i];
    boolean icmp = protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6;
    // Without ports its first fragment did not come; an echo in fragments is not answered.
    if ((v.flags[i] & PacketVector.LATER_FRAGMENT) != 0 && (icmp || v.ports[i] == 0)) {
      if ((known & ServiceTable.VIRTUAL) != 0) {
        v.drop(i, DropReason.FRAGMENT_UNSUPPORTED);
      }
      return true;
    }
    if (protocol == (ipv6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP)) {
      return echo(v, i, known, ipv6);
    }
    long front = slots.find(high, low, FrontSlots.front(ipv6, protocol, v.ports[i] & 0xFFFF));
    if (front != 0) {
      toFront(v, i, slots, clients, front, ipv6);
      return true;
    }
    if ((known & ServiceTable.CLUSTER_IP) != 0) {
      answers.portUnreachable(v, i, DropReason.NO_SUCH_PORT);
      return true;
    }
    return false;
  }

  /** Who may, to which endpoints, and with whose address: semantics.md, 2 to 4. */
  private void toFront(
      PacketVector v, int i, FrontSlots slots, Clients clients, long front, boolean ipv6) {
    long l3 = v.address[i] + v.l3[i];
    long high = sourceHigh(l3, ipv6);
    long low = sourceLow(l3, ipv6);
    int flags = FrontRecord.flags(front);
    int port = v.inPort[i];
    boolean own = isOwn(slots, l3, ipv6);
    int client = clients.kind(port, own, ipv6, high, low);
    boolean local = (flags & FrontRecord.POLICY_LOCAL) != 0;
    boolean shortCircuit =
        local && (flags & FrontRecord.EXTERNAL) != 0 && client != Clients.OUTSIDE;
    long set = local && !shortCircuit ? FrontRecord.local(front) : FrontRecord.cluster(front);
    Decision d = decision;
    if (d != null) {
      d.front = true;
      d.policyLocal = local;
      d.shortCircuit = shortCircuit;
      d.client(client);
    }
    if ((flags & FrontRecord.RESTRICTED) != 0 && !FrontRecord.admits(front, high, low)) {
      v.drop(i, DropReason.SOURCE_RANGE);
      return;
    }
    if (set == 0) {
      if (FrontRecord.cluster(front) != 0) {
        v.drop(i, DropReason.NO_LOCAL_ENDPOINTS);
      } else {
        answers.portUnreachable(v, i, DropReason.NO_ENDPOINTS);
      }
      return;
    }
    if (v.protocol[i] == IpProtocol.TCP && (v.flags[i] & PacketVector.TCP_SYN) == 0) {
      answers.reset(v, i, DropReason.NO_FLOW);
      return;
    }
    if (d != null) {
      d.candidates(set, ipv6);
    }
    boolean masquerade =
        (flags & FrontRecord.MASQUERADE) != 0
            || (shortCircuit && client == Clients.NODE)
            || ((flags & FrontRecord.MASQUERADE_STRANGERS) != 0
                && !clients.local(port, ipv6, high, low));
    connector.connect(v, i, front, set, masquerade, client == Clients.NODE);
  }

  /** Answered where the address is nobody's but the Service's. */
  private boolean echo(PacketVector v, int i, long known, boolean ipv6) {
    int type = Memory.getByte(v.address[i] + v.l4[i]);
    if ((known & ServiceTable.VIRTUAL) == 0 || type != (ipv6 ? Icmpv6.ECHO : Icmp.ECHO)) {
      return false;
    }
    if (decision != null) {
      decision.echo = true;
    }
    answers.echoReply(v, i);
    return true;
  }

  /**
   * Pods on their way out get the node's address. What comes in and could be taken for the
   * beginning when it is answered (TCP says which it is) is remembered as it is. Whether the packet
   * leaves the pods.
   */
  private boolean egress(
      PacketVector v, int i, FrontSlots slots, Clients clients, boolean ipv6, long high, long low) {
    if (!translatable(v, i, ipv6)) {
      return false;
    }
    long l3 = v.address[i] + v.l3[i];
    long sourceHigh = sourceHigh(l3, ipv6);
    long sourceLow = sourceLow(l3, ipv6);
    boolean toPod = clients.pod(ipv6, high, low);
    boolean fromPod = clients.pod(ipv6, sourceHigh, sourceLow);
    if (fromPod == toPod || multicast(ipv6, high, low)) {
      return false;
    }
    boolean tcp = v.protocol[i] == IpProtocol.TCP;
    if (fromPod) {
      boolean own =
          (slots.find(sourceHigh, sourceLow, FrontSlots.address(ipv6)) & ServiceTable.OWN) != 0;
      if (!own && (!tcp || (v.flags[i] & PacketVector.TCP_SYN) != 0)) {
        if (decision != null) {
          decision.egress = true;
          decision.masquerade = true;
        }
        connector.leave(v, i);
        return true;
      }
    } else if (!tcp && decision == null) {
      connector.passThrough(v, i);
    }
    return false;
  }

  private static boolean translatable(PacketVector v, int i, boolean ipv6) {
    int protocol = v.protocol[i];
    if ((v.flags[i] & PacketVector.LATER_FRAGMENT) != 0) {
      return v.ports[i] != 0; // as its first one was
    }
    if (protocol == (ipv6 ? IpProtocol.ICMPV6 : IpProtocol.ICMP)) { // the other's is no header
      int type = Memory.getByte(v.address[i] + v.l4[i]);
      return type == (ipv6 ? Icmpv6.ECHO : Icmp.ECHO);
    }
    return protocol == IpProtocol.TCP || protocol == IpProtocol.UDP || protocol == IpProtocol.SCTP;
  }

  private static boolean multicast(boolean ipv6, long high, long low) {
    return ipv6 ? high >>> 56 == 0xFF : low >>> 28 == 0xE;
  }
}
