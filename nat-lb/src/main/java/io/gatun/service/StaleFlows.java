package io.gatun.service;

import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowFilter;
import io.gatun.flow.FlowState;
import io.gatun.flow.FlowView;
import java.net.InetSocketAddress;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Chooses the flows that a change of fronts leaves without reason: to an endpoint that its front no
 * longer has, and without a connection that could end by itself.
 */
final class StaleFlows implements FlowFilter {
  private static final int UDP = 17;

  private record Front(long high, long low, int protocol, int port) {}

  private record Endpoint(long high, long low, int port) {}

  private final Map<Front, Set<Endpoint>> kept = new HashMap<>();
  private final BitSet services = new BitSet();

  /** {@code front} is changed and has only {@code endpoints} now. */
  void add(FrontSpec front, List<InetSocketAddress> endpoints, int service) {
    if (endpoints.containsAll(front.endpoints())) {
      return;
    }
    Set<Endpoint> left = new HashSet<>();
    for (InetSocketAddress e : endpoints) {
      left.add(
          new Endpoint(
              AddressWords.high(e.getAddress()), AddressWords.low(e.getAddress()), e.getPort()));
    }
    kept.put(
        new Front(
            AddressWords.high(front.address()),
            AddressWords.low(front.address()),
            front.protocol(),
            front.port()),
        left);
    services.set(service);
  }

  boolean isEmpty() {
    return kept.isEmpty();
  }

  @Override
  public boolean matches(FlowView flow) {
    if (!services.get(flow.service())
        || (flow.protocol() != UDP && flow.state() != FlowState.SYN_SENT)) {
      return false;
    }
    Set<Endpoint> left =
        kept.get(new Front(flow.frontHigh(), flow.frontLow(), flow.protocol(), flow.frontPort()));
    return left != null
        && !left.contains(
            new Endpoint(flow.endpointHigh(), flow.endpointLow(), flow.endpointPort()));
  }
}
