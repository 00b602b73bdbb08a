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
    this.answers = answers;
    this.services = services;
    this.track = track;
    this.connector = new Connector(flows, sources);
  }

  @Override
  public void process(PacketVector v) {
    FrontSlots slots = services.slots();
    if (touch(v, slots)) {
      decide(v, slots, services.cidrs());
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

  private static long low(long l3, boolean ipv6) {
    return ipv6
        ? Memory.getLongBe(l3 + Ipv6.DESTINATION + 8)
        : Memory.getIntBe(l3 + Ipv4.DESTINATION) & 0xFFFFFFFFL;
  }

  private void decide(PacketVector v, FrontSlots slots, ServiceCidrs cidrs) {
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
      if (known != 0) {
        forService(v, i, slots, known, ipv6, high, low);
      } else if (cidrs.contain(ipv6, high, low)) {
        v.drop(i, DropReason.UNASSIGNED_SERVICE_ADDRESS);
      }
    }
  }

  private void forService(
      PacketVector v, int i, FrontSlots slots, long known, boolean ipv6, long high, long low) {
    int protocol = v.protocol[i];
    if ((v.flags[i] & PacketVector.LATER_FRAGMENT) != 0) {
      if ((known & ServiceTable.VIRTUAL) != 0) {
        v.drop(i, DropReason.FRAGMENT_UNSUPPORTED);
      }
      return;
    }
    if (protocol == IpProtocol.ICMP || protocol == IpProtocol.ICMPV6) {
      echo(v, i, known, ipv6);
      return;
    }
    long front = slots.find(high, low, FrontSlots.front(ipv6, protocol, v.ports[i] & 0xFFFF));
    if (front == 0) {
      if ((known & ServiceTable.CLUSTER_IP) != 0) {
        answers.portUnreachable(v, i, DropReason.NO_SUCH_PORT);
      }
    } else if (FrontRecord.endpoints(front) == 0) {
      if ((FrontRecord.flags(front) & FrontRecord.DROP_WHEN_EMPTY) != 0) {
        v.drop(i, DropReason.NO_LOCAL_ENDPOINTS);
      } else {
        answers.portUnreachable(v, i, DropReason.NO_ENDPOINTS);
      }
    } else if (protocol == IpProtocol.TCP && (v.flags[i] & PacketVector.TCP_SYN) == 0) {
      answers.reset(v, i, DropReason.NO_FLOW);
    } else {
      connector.connect(v, i, front, ipv6, high, low);
    }
  }

  private void echo(PacketVector v, int i, long known, boolean ipv6) {
    int type = Memory.getByte(v.address[i] + v.l4[i]);
    if ((known & ServiceTable.VIRTUAL) != 0 && type == (ipv6 ? Icmpv6.ECHO : Icmp.ECHO)) {
      answers.echoReply(v, i);
    }
  }
}
