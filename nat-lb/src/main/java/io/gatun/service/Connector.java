package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.DirectTuples;
import io.gatun.flow.FlowTable;
import io.gatun.flow.NewFlow;
import io.gatun.flow.ReplyLines;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Makes the flow for the first packet to a front: endpoint, source, and a reply's key that is
 * nobody else's. Owned by one worker.
 *
 * <p>First is decided what flows to make, then several of them are made: so the buckets of their
 * replies, each a cache miss, are waited for together. What depends on those before it (session
 * affinity, the least loaded endpoint) is made at once.
 */
final class Connector {
  /** Flows made together: a miss divided by this is little beside the rest. */
  private static final int TOGETHER = 32;

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
  private final Attempt[] attempts = new Attempt[TOGETHER];
  private final ReplyLines replies;

  /** The first ones, decided on and not yet made. */
  private int waiting;

  private SourceAddresses.Sources sources;
  private int tick;
  private long random = System.nanoTime() | 1;

  /** The one under way, and its flow. */
  private Attempt a;

  private NewFlow f;

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
    Arrays.setAll(attempts, i -> new Attempt());
    replies = flows.replyLines(TOGETHER);
    a = attempts[0];
    f = a.f;
  }

  void begin(int now) {
    tick = now;
    sources = sourceAddresses.current();
  }

  /** Makes the flows that wait; to be called at the end of the vector. */
  void finish(PacketVector v) {
    replies.ask();
    for (int k = 0; k < waiting; k++) {
      a = attempts[k];
      f = a.f;
      make(v);
    }
    waiting = 0;
  }

  private void makeLater(PacketVector v) {
    replies.add(f);
    waiting++;
    if (waiting == TOGETHER) {
      finish(v);
    }
  }

  /**
   * To one of the endpoints of {@code of}.
   *
   * @param masked not with the client's own address
   * @param host the client is the node, whose traffic leaves with its primary address
   */
  void connect(PacketVector v, int i, long front, long of, boolean masked, boolean host) {
    original(v, i);
    a.front = front;
    a.set = of;
    a.masquerade = masked;
    a.fromHost = host || v.inPort[i] == sources.hostPort();
    f.service = FrontRecord.service(front);
    int life = FrontRecord.affinity(front);
    a.bound = life != 0;
    if (life != 0) {
      stick(v, front, life);
      return;
    }
    a.chosen = choose();
    boolean reachable = endpoint(a.chosen);
    if (decision == null && reachable && !SetRecord.countsConnections(of)) {
      makeLater(v);
      return;
    }
    make(v);
    decided(false);
  }

  private int choose() {
    return SetRecord.choose(a.set, f.agreedHash(), random());
  }

  /** To the endpoint that the client has had before, or one that it will have from now on. */
  private void stick(PacketVector v, long front, int life) {
    long clientHigh = f.sourceHigh & prefix(FrontRecord.affinityPrefix(front));
    long clientLow = f.sourceLow & prefix(FrontRecord.affinityPrefix(front) - 64);
    long affinity = FrontRecord.affinityOf(front);
    int kept = affinities.find(affinity, clientHigh, clientLow, a.set, tick);
    a.chosen = kept >= 0 ? kept : choose();
    endpoint(a.chosen);
    boolean made = make(v);
    decided(kept >= 0);
    if (made && decision == null) {
      int index =
          SetRecord.find(a.set, f.newDestinationHigh, f.newDestinationLow, f.newPorts & 0xFFFF);
      affinities.remember(
          affinity, clientHigh, clientLow, SetRecord.endpoint(a.set, index), tick, life);
    }
  }

  private void decided(boolean kept) {
    Decision d = decision;
    if (d != null) {
      d.affinity = kept;
      // The host's own port is our own business, another of its addresses is not.
      d.masquerade =
          a.masquerade
              || hairpin()
              || f.newSourceLow != f.sourceLow
              || f.newSourceHigh != f.sourceHigh;
      d.hairpin = hairpin();
    }
  }

  /** Makes the flow under way; whether it is new. */
  private boolean make(PacketVector v) {
    long flow = FlowTable.CLASH;
    if (!a.sourceless) {
      flow = insert();
      if (flow == FlowTable.CLASH) {
        flow = elsewhere();
      }
    }
    boolean made = ended(v, a.packet, flow) && f.inserted;
    if (made && a.front != 0) {
      Memory.getAndAddLong(FrontRecord.counter(a.front), 1);
    }
    return made;
  }

  /** A pod's flow to the outside, from the node's address. */
  void leave(PacketVector v, int i) {
    original(v, i);
    a.front = 0;
    a.set = 0;
    a.bound = true;
    a.masquerade = true;
    a.fromHost = false;
    f.service = 0;
    f.load = 0;
    f.newDestinationHigh = f.destinationHigh;
    f.newDestinationLow = f.destinationLow;
    f.newPorts = f.ports;
    if (source() && decision == null) {
      makeLater(v);
    } else {
      make(v);
    }
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
        a.ports = sources.outside();
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
      if (a.sourceless) {
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
    a = attempts[waiting];
    f = a.f;
    a.packet = i;
    a.sourceless = false;
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
    long endpoint = SetRecord.endpoint(a.set, index);
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
      a.ports = sources.outside(); // where clients seldom are
      return true;
    }
    boolean toHost = sources.leadsToHost(f.ipv6, f.newDestinationHigh, f.newDestinationLow);
    SourceAddresses.Source source =
        toHost
            ? sources.pair()
            : sourceAddresses.towards(f.ipv6, f.newDestinationHigh, f.newDestinationLow);
    f.newSourceHigh = f.ipv6 ? source.high6() : 0;
    f.newSourceLow = f.ipv6 ? source.low6() : source.low4();
    a.ports = sources.ports(f.ipv6, f.newDestinationHigh, f.newDestinationLow);
    if (!a.ports.has(f.ports >>> 16)) { // else it may keep its own, if that is free
      port(a.ports.port(Math.floorMod(f.hash, a.ports.count())));
    }
    a.sourceless = !source.has(f.ipv6);
    return !a.sourceless;
  }

  /**
   * By the Service's policy; where the client is the endpoint (hairpin); and where it is the node,
   * because replies from outside have to come to a port that is claimed.
   */
  private boolean masqueraded() {
    return a.fromHost || a.masquerade || hairpin();
  }

  /** The client meets itself: its own reply would never come back through us. */
  private boolean hairpin() {
    return f.newDestinationLow == f.sourceLow && f.newDestinationHigh == f.sourceHigh;
  }

  /**
   * The reply's key is taken. Where the client's address is kept, another endpoint first: its port
   * stays too. Then another source port.
   */
  private long elsewhere() {
    if (!masqueraded() && !a.bound) {
      int endpoints = SetRecord.endpoints(a.set);
      for (int k = 1; k < Math.min(endpoints, MAX_ENDPOINTS_TRIED); k++) {
        if (endpoint((a.chosen + k) % endpoints)) {
          long flow = insert();
          if (flow != FlowTable.CLASH) {
            return flow;
          }
        }
      }
      endpoint(a.chosen);
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
    int count = a.ports.count();
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
    port(a.ports.port(index));
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
