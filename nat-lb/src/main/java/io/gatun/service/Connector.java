package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.FlowTable;
import io.gatun.flow.NewFlow;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;

/**
 * Makes the flow for the first packet to a front: endpoint, source, and a reply's key that is
 * nobody else's. Owned by one worker.
 */
final class Connector {
  /** Enough that a failure means exhaustion, few enough that it costs microseconds. */
  private static final int MAX_PORTS_TRIED = 512;

  private static final int MAX_ENDPOINTS_TRIED = 8;

  private final FlowTable flows;
  private final SourceAddresses sourceAddresses;
  private final NewFlow f = new NewFlow();
  private SourceAddresses.Sources sources;
  private int tick;
  private boolean fromHost;

  Connector(FlowTable flows, SourceAddresses sourceAddresses) {
    this.flows = flows;
    this.sourceAddresses = sourceAddresses;
    this.sources = sourceAddresses.current();
  }

  void begin(int now) {
    tick = now;
    sources = sourceAddresses.current();
  }

  void connect(PacketVector v, int i, long front, boolean ipv6, long high, long low) {
    original(v, i, ipv6, high, low);
    fromHost = v.inPort[i] == sources.hostPort();
    f.service = FrontRecord.service(front);
    int chosen = FrontRecord.choose(front, f.hash);
    long flow;
    if (!endpoint(front, chosen)) {
      flow = FlowTable.CLASH;
    } else {
      flow = flows.insert(f, tick);
      if (flow == FlowTable.CLASH) {
        flow = elsewhere(front, chosen);
      }
    }
    if (flow == FlowTable.CLASH) {
      v.drop(i, DropReason.SNAT_PORTS_EXHAUSTED);
    } else if (flow == FlowTable.FULL) {
      v.drop(i, DropReason.FLOW_TABLE_FULL);
    } else {
      v.flow[i] = flow;
      if (f.inserted) {
        Memory.getAndAddLong(FrontRecord.counter(front), 1);
      }
    }
  }

  private void original(PacketVector v, int i, boolean ipv6, long high, long low) {
    long l3 = v.address[i] + v.l3[i];
    f.ipv6 = ipv6;
    f.protocol = v.protocol[i];
    f.sourceHigh = ipv6 ? Memory.getLongBe(l3 + Ipv6.SOURCE) : 0;
    f.sourceLow =
        ipv6
            ? Memory.getLongBe(l3 + Ipv6.SOURCE + 8)
            : Memory.getIntBe(l3 + Ipv4.SOURCE) & 0xFFFFFFFFL;
    f.destinationHigh = high;
    f.destinationLow = low;
    f.ports = v.ports[i];
    f.hash = v.hash[i];
  }

  /** Sends the flow to this endpoint; false when it needs a source address and there is none. */
  private boolean endpoint(long front, int index) {
    long endpoint = FrontRecord.endpoint(front, index);
    f.newDestinationHigh = Memory.getLong(endpoint);
    f.newDestinationLow = Memory.getLong(endpoint + 8);
    f.newPorts = (f.ports & 0xFFFF0000) | (int) Memory.getLong(endpoint + 16);
    if (!masqueraded(front)) {
      f.newSourceHigh = f.sourceHigh;
      f.newSourceLow = f.sourceLow;
      return true;
    }
    boolean toHost = sources.leadsToHost(f.ipv6, f.newDestinationHigh, f.newDestinationLow);
    SourceAddresses.Source source = toHost ? sources.pair() : sources.node();
    f.newSourceHigh = f.ipv6 ? source.high6() : 0;
    f.newSourceLow = f.ipv6 ? source.low6() : source.low4();
    if (!toHost) { // the host's own sockets have this address too
      f.newPorts =
          (sources.firstPort() + Math.floorMod(f.hash, sources.ports())) << 16
              | (f.newPorts & 0xFFFF);
    }
    return source.has(f.ipv6);
  }

  /**
   * By the Service's policy; where the client is the endpoint (hairpin); and where it is the node,
   * because replies from outside have to come to a port that is claimed.
   */
  private boolean masqueraded(long front) {
    return fromHost
        || (FrontRecord.flags(front) & FrontRecord.MASQUERADE) != 0
        || (f.newDestinationLow == f.sourceLow && f.newDestinationHigh == f.sourceHigh);
  }

  /**
   * The reply's key is taken. Where the client's address is kept, another endpoint first: its port
   * stays too. Then another source port, from a place that depends on the flow.
   */
  private long elsewhere(long front, int chosen) {
    int n = Math.min(FrontRecord.endpoints(front), MAX_ENDPOINTS_TRIED);
    if (!masqueraded(front)) {
      for (int k = 1; k < n; k++) {
        if (endpoint(front, (chosen + k) % FrontRecord.endpoints(front))) {
          long flow = flows.insert(f, tick);
          if (flow != FlowTable.CLASH) {
            return flow;
          }
        }
      }
      endpoint(front, chosen);
    }
    int ports = sources.ports();
    int start = Math.floorMod(f.hash, ports);
    for (int k = 0; k < Math.min(ports, MAX_PORTS_TRIED); k++) {
      int port = sources.firstPort() + (start + k) % ports;
      f.newPorts = (port << 16) | (f.newPorts & 0xFFFF);
      long flow = flows.insert(f, tick);
      if (flow != FlowTable.CLASH) {
        return flow;
      }
    }
    return FlowTable.CLASH;
  }
}
