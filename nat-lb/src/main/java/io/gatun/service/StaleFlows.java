package io.gatun.service;

import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowFilter;
import io.gatun.flow.FlowState;
import io.gatun.flow.FlowView;
import java.net.InetSocketAddress;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Chooses the flows that a change of fronts leaves without reason: to an endpoint that its front no
 * longer has, and without a connection that could end by itself.
 */
final class StaleFlows implements FlowFilter {
  private static final int UDP = 17;

  /** The number that flows of no Service bear. */
  private static final int NO_SERVICE = 0;

  private record Front(long high, long low, int protocol, int port) {}

  private record Endpoint(long high, long low, int port) {}

  private final Map<Front, Set<Endpoint>> kept = new HashMap<>();
  private final BitSet services = new BitSet();

  /** {@code front} is changed: flows stay that go to what still answers or may be chosen. */
  void add(FrontSpec front, Backends now, int service) {
    Backends before = front.backends();
    if (stays(before.serving(), now)
        && stays(before.cluster(), now)
        && stays(before.local(), now)) {
      return;
    }
    Set<Endpoint> left = new HashSet<>();
    add(now.serving(), left);
    add(now.cluster(), left);
    add(now.local(), left);
    kept.put(key(front), left);
    services.set(service);
  }

  /**
   * {@code front} is new: what left by its address before, as a pod's way out of the cluster,
   * belongs to it from now on.
   */
  void addNew(FrontSpec front) {
    kept.putIfAbsent(key(front), Set.of());
    services.set(NO_SERVICE);
  }

  private static Front key(FrontSpec front) {
    return new Front(
        AddressWords.high(front.address()),
        AddressWords.low(front.address()),
        front.protocol(),
        front.port());
  }

  private static boolean stays(EndpointSet before, Backends now) {
    if (before.equals(now.serving())) {
      return true;
    }
    for (InetSocketAddress endpoint : before.endpoints()) {
      if (!now.serving().contains(endpoint)
          && !now.cluster().contains(endpoint)
          && !now.local().contains(endpoint)) {
        return false;
      }
    }
    return true;
  }

  private static void add(EndpointSet set, Set<Endpoint> to) {
    for (InetSocketAddress e : set.endpoints()) {
      to.add(
          new Endpoint(
              AddressWords.high(e.getAddress()), AddressWords.low(e.getAddress()), e.getPort()));
    }
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
