package io.gatun.service;

import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowFilter;
import io.gatun.flow.FlowState;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowView;
import io.gatun.packet.IpProtocol;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the flows that a change of fronts leaves without reason: to an endpoint that its front no
 * longer has, and without a connection that could end by itself.
 */
final class StaleFlows implements FlowFilter {

  /** The number that flows of no Service bear. */
  private static final int NO_SERVICE = 0;

  private record Front(long high, long low, int protocol, int port) {}

  private record Endpoint(long high, long low, int port) {}

  /** What a front no longer has; null: whatever it had. */
  private final Map<Front, @Nullable Set<Endpoint>> gone = new HashMap<>();

  private final BitSet services = new BitSet();

  /** {@code front} is changed: flows stay that go to what still answers or may be chosen. */
  void add(FrontSpec front, Backends now, int service) {
    Set<Endpoint> left = new HashSet<>();
    Backends before = front.backends();
    for (EndpointSet set : List.of(before.serving(), before.cluster(), before.local())) {
      set.without(
          now.serving(),
          (high, low, port) -> {
            if (now.cluster().find(high, low, port) < 0 && now.local().find(high, low, port) < 0) {
              left.add(new Endpoint(high, low, port));
            }
          });
    }
    if (!left.isEmpty()) {
      gone.put(key(front), left);
      services.set(service);
    }
  }

  /**
   * {@code front} is new: what left by its address before, as a pod's way out of the cluster,
   * belongs to it from now on.
   */
  void addNew(FrontSpec front) {
    gone.putIfAbsent(key(front), null);
    services.set(NO_SERVICE);
  }

  private static Front key(FrontSpec front) {
    return new Front(
        AddressWords.high(front.address()),
        AddressWords.low(front.address()),
        front.protocol(),
        front.port());
  }

  boolean isEmpty() {
    return gone.isEmpty();
  }

  /** Whether any of these Services has flows at this moment: to look for them is to read all. */
  boolean mayBeIn(FlowTable flows) {
    return services.stream().anyMatch(service -> flows.flows(service) > 0);
  }

  @Override
  public boolean matches(FlowView flow) {
    if (!services.get(flow.service())
        || (flow.protocol() != IpProtocol.UDP && flow.state() != FlowState.SYN_SENT)) {
      return false;
    }
    Front front = new Front(flow.frontHigh(), flow.frontLow(), flow.protocol(), flow.frontPort());
    if (!gone.containsKey(front)) {
      return false;
    }
    Set<Endpoint> left = gone.get(front);
    return left == null
        || left.contains(
            new Endpoint(flow.endpointHigh(), flow.endpointLow(), flow.endpointPort()));
  }
}
