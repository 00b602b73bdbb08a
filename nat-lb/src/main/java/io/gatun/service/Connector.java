package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.DirectTuples;
import io.gatun.flow.FlowTable;
import io.gatun.flow.NewFlow;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import org.jspecify.annotations.Nullable;

/**
 * Makes the flow for the first packet to a front: endpoint, source, and a reply's key that is
 * nobody else's. Owned by one worker.
 */
final class Connector {
  /** Ports tried at random, while there are said to be free ones and when there are none. */
  private static final int TRIED = 256;

  private static final int TRIED_WHEN_FULL = 64;

  /** And then one after the other: the whole of {@code snatPorts} as it is by default. */
  private static final int TRIED_IN_ORDER = 5000;

  /** Ports tried before one is taken whose connection is over. */
  private static final int FREE_FIRST = 16;

  private static final int MAX_ENDPOINTS_TRIED = 8;

  private final FlowTable flows;
  private final AffinityTable affinities;
  private final DirectTuples direct;
  private final Answers answers;
  private final SourceAddresses sourceAddresses;
  private final @Nullable Decision decision;
  private final NewFlow f = new NewFlow();
  private SourceAddresses.Sources sources;
  private int tick;
  private boolean fromHost;
  private boolean sourceless;
  private long random = System.nanoTime() | 1;

  // Of the flow under way.
  private long set;
  private boolean masquerade;
  private SourcePorts ports = SourcePorts.ALL;

  /** {@code decision} null: for traffic; otherwise nothing is remembered but the flow. */
  Connector(
      FlowTable flows,
      AffinityTable affinities,
      DirectTuples direct,
      SourceAddresses sourceAddresses,
      Answers answers,
      @Nullable Decision decision) {
    this.answers = answers;
    this.flows = flows;
    this.affinities = affinities;
    this.direct = direct;
    this.sourceAddresses = sourceAddresses;
    this.decision = decision;
    this.sources = sourceAddresses.current();
  }

  void begin(int now) {
    tick = now;
    sources = sourceAddresses.current();
  }

  /**
   * To one of the endpoints of {@code of}.
   *
   * @param masked not with the client's own address
   * @param host the client is the node, whose traffic leaves with its primary address
   */
  void connect(PacketVector v, int i, long front, long of, boolean masked, boolean host) {
    original(v, i);
    set = of;
    masquerade = masked;
    fromHost = host || v.inPort[i] == sources.hostPort();
    f.service = FrontRecord.service(front);
    int life = FrontRecord.affinity(front);
    long clientHigh = life == 0 ? 0 : f.sourceHigh & prefix(FrontRecord.affinityPrefix(front));
    long clientLow = life == 0 ? 0 : f.sourceLow & prefix(FrontRecord.affinityPrefix(front) - 64);
    int kept =
        life == 0
            ? -1
            : affinities.find(FrontRecord.affinityOf(front), clientHigh, clientLow, set, tick);
    int chosen = kept >= 0 ? kept : SetRecord.choose(set, f.agreedHash(), random());
    long flow = FlowTable.CLASH;
    if (endpoint(chosen)) {
      flow = insert();
      if (flow == FlowTable.CLASH) {
        flow = elsewhere(chosen, life == 0);
      }
    }
    Decision d = decision;
    if (d != null) {
      d.affinity = kept >= 0;
      // The host's own port is our own business, another of its addresses is not.
      d.masquerade =
          masquerade
              || hairpin()
              || f.newSourceLow != f.sourceLow
              || f.newSourceHigh != f.sourceHigh;
      d.hairpin = hairpin();
    }
    if (ended(v, i, flow) && f.inserted) {
      Memory.getAndAddLong(FrontRecord.counter(front), 1);
      if (life != 0 && d == null) {
        int index =
            SetRecord.find(set, f.newDestinationHigh, f.newDestinationLow, f.newPorts & 0xFFFF);
        affinities.remember(
            FrontRecord.affinityOf(front),
            clientHigh,
            clientLow,
            SetRecord.endpoint(set, index),
            tick,
            life);
      }
    }
  }

  /** A pod's flow to the outside, from the node's address. */
  void leave(PacketVector v, int i) {
    original(v, i);
    set = 0;
    masquerade = true;
    fromHost = false;
    f.service = 0;
    f.load = 0;
    f.newDestinationHigh = f.destinationHigh;
    f.newDestinationLow = f.destinationLow;
    f.newPorts = f.ports;
    long flow = FlowTable.CLASH;
    if (source()) {
      flow = insert();
      if (flow == FlowTable.CLASH) {
        flow = otherPort();
      }
    }
    ended(v, i, flow);
  }

  /**
   * A packet to an address that an endpoint has, which is no Service's. It needs no flow, unless
   * its replies would be taken for those of a translated one: then it gets another source port.
   */
  void direct(PacketVector v, int i) {
    int hash = v.hash[i];
    if (direct.uses(hash, tick)) {
      return;
    }
    if (v.protocol[i] != IpProtocol.TCP || (v.flags[i] & PacketVector.TCP_SYN) != 0) {
      asItIs(v, i);
      if (flows.isReplyTaken(f) && !flows.takeOver(f)) {
        ports = sources.outside();
        ended(v, i, otherPort());
        return;
      }
    }
    direct.add(hash, tick);
  }

  /**
   * A flow that nothing is changed of, from the outside to a pod: so that its replies are known,
   * and not masqueraded as if the pod had begun. Without room it goes on without.
   */
  void passThrough(PacketVector v, int i) {
    asItIs(v, i);
    flows.insert(f, tick);
  }

  private void asItIs(PacketVector v, int i) {
    original(v, i);
    f.service = 0;
    f.load = 0;
    f.newSourceHigh = f.sourceHigh;
    f.newSourceLow = f.sourceLow;
    f.newDestinationHigh = f.destinationHigh;
    f.newDestinationLow = f.destinationLow;
    f.newPorts = f.ports;
  }

  private boolean ended(PacketVector v, int i, long flow) {
    if (flow == FlowTable.CLASH) {
      if (sourceless) {
        v.drop(i, DropReason.NO_SOURCE_ADDRESS);
      } else {
        answers.portUnreachable(v, i, DropReason.SNAT_PORTS_EXHAUSTED);
      }
      return false;
    }
    if (flow == FlowTable.SHARE) {
      v.drop(i, DropReason.SERVICE_FLOW_SHARE);
      return false;
    }
    if (flow == FlowTable.FULL) {
      v.drop(i, DropReason.FLOW_TABLE_FULL);
      return false;
    }
    v.flow[i] = flow;
    return true;
  }

  private void original(PacketVector v, int i) {
    long l3 = v.address[i] + v.l3[i];
    boolean ipv6 = (v.flags[i] & PacketVector.IPV6) != 0;
    f.ipv6 = ipv6;
    f.protocol = v.protocol[i];
    if (ipv6) {
      f.sourceHigh = Memory.getLongBe(l3 + Ipv6.SOURCE);
      f.sourceLow = Memory.getLongBe(l3 + Ipv6.SOURCE + 8);
      f.destinationHigh = Memory.getLongBe(l3 + Ipv6.DESTINATION);
      f.destinationLow = Memory.getLongBe(l3 + Ipv6.DESTINATION + 8);
    } else {
      f.sourceHigh = 0;
      f.sourceLow = Memory.getIntBe(l3 + Ipv4.SOURCE) & 0xFFFFFFFFL;
      f.destinationHigh = 0;
      f.destinationLow = Memory.getIntBe(l3 + Ipv4.DESTINATION) & 0xFFFFFFFFL;
    }
    f.ports = v.ports[i];
    f.hash = v.hash[i];
    f.inserted = false;
    sourceless = false;
  }

  /** The first {@code bits} bits of a word. */
  private static long prefix(int bits) {
    return bits >= 64 ? -1 : bits <= 0 ? 0 : -1L << (64 - bits);
  }

  private int random() {
    random ^= random << 13; // xorshift64, Marsaglia 2003
    random ^= random >>> 7;
    random ^= random << 17;
    return (int) (random >>> 32);
  }

  /** Sends the flow to this endpoint; false when it needs a source address and there is none. */
  private boolean endpoint(int index) {
    long endpoint = SetRecord.endpoint(set, index);
    f.newDestinationHigh = Memory.getLong(endpoint);
    f.newDestinationLow = Memory.getLong(endpoint + 8);
    f.newPorts = (f.ports & 0xFFFF0000) | SetRecord.port(endpoint);
    f.load = SetRecord.load(endpoint);
    return source();
  }

  private boolean source() {
    if (!masqueraded()) {
      f.newSourceHigh = f.sourceHigh;
      f.newSourceLow = f.sourceLow;
      ports = sources.outside(); // where clients seldom are
      return true;
    }
    boolean toHost = sources.leadsToHost(f.ipv6, f.newDestinationHigh, f.newDestinationLow);
    SourceAddresses.Source source =
        toHost
            ? sources.pair()
            : sourceAddresses.towards(f.ipv6, f.newDestinationHigh, f.newDestinationLow);
    f.newSourceHigh = f.ipv6 ? source.high6() : 0;
    f.newSourceLow = f.ipv6 ? source.low6() : source.low4();
    ports = sources.ports(f.ipv6, f.newDestinationHigh, f.newDestinationLow);
    if (!ports.has(f.ports >>> 16)) { // else it may keep its own, if that is free
      port(ports.port(Math.floorMod(f.hash, ports.count())));
    }
    sourceless = !source.has(f.ipv6);
    return !sourceless;
  }

  /**
   * By the Service's policy; where the client is the endpoint (hairpin); and where it is the node,
   * because replies from outside have to come to a port that is claimed.
   */
  private boolean masqueraded() {
    return fromHost || masquerade || hairpin();
  }

  /** The client meets itself: its own reply would never come back through us. */
  private boolean hairpin() {
    return f.newDestinationLow == f.sourceLow && f.newDestinationHigh == f.sourceHigh;
  }

  /**
   * The reply's key is taken. Where the client's address is kept, another endpoint first: its port
   * stays too. Then another source port.
   */
  private long elsewhere(int chosen, boolean anyEndpoint) {
    if (!masqueraded() && anyEndpoint) {
      int endpoints = SetRecord.endpoints(set);
      for (int k = 1; k < Math.min(endpoints, MAX_ENDPOINTS_TRIED); k++) {
        if (endpoint((chosen + k) % endpoints)) {
          long flow = insert();
          if (flow != FlowTable.CLASH) {
            return flow;
          }
        }
      }
      endpoint(chosen);
    }
    return otherPort();
  }

  /**
   * Both directions as they are. Who comes from the same port again has done with what was there,
   * unless many share the address.
   */
  private long insert() {
    if (isDirect()) {
      return FlowTable.CLASH;
    }
    long flow = flows.insert(f, tick);
    boolean own = f.newSourceLow == f.sourceLow && f.newSourceHigh == f.sourceHigh;
    return flow == FlowTable.CLASH && own && flows.takeOver(f) ? flows.insert(f, tick) : flow;
  }

  /**
   * Another source port (an echo's identifier): a free one, else one whose connection is over.
   * Looks at random places, so that a few are enough as long as some are free.
   */
  private long otherPort() {
    int count = ports.count();
    int used = flows.portsUsed(f);
    boolean full = used >= count;
    sourceAddresses.used((int) (100L * used / count));
    int tries = full ? TRIED_WHEN_FULL : TRIED;
    for (int k = 0; k < tries; k++) {
      long flow = with(Math.floorMod(random(), count), full || k >= FREE_FIRST);
      if (flow != FlowTable.CLASH) {
        return flow;
      }
    }
    int start = Math.floorMod(f.hash, count);
    for (int k = 0; !full && k < Math.min(count, TRIED_IN_ORDER); k++) {
      long flow = with((start + k) % count, true);
      if (flow != FlowTable.CLASH) {
        return flow;
      }
    }
    return FlowTable.CLASH;
  }

  /** The client talks to the endpoint by this port already, without us. */
  private boolean isDirect() {
    return f.newSourceLow == f.sourceLow
        && f.newSourceHigh == f.sourceHigh
        && direct.isUsed(f.newHash());
  }

  private long with(int index, boolean takeOver) {
    port(ports.port(index));
    if (isDirect()) {
      return FlowTable.CLASH;
    }
    long flow = flows.insert(f, tick);
    return flow == FlowTable.CLASH && takeOver && flows.takeOver(f) ? flows.insert(f, tick) : flow;
  }

  private void port(int port) {
    boolean echo = f.protocol == IpProtocol.ICMP || f.protocol == IpProtocol.ICMPV6;
    f.newPorts = port << 16 | (echo ? port : f.newPorts & 0xFFFF);
  }
}
