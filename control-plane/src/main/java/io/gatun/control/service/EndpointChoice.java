package io.gatun.control.service;

import io.gatun.control.document.Addresses;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.EndpointState;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.SlicePort;
import io.gatun.service.Backends;
import io.gatun.service.EndpointSet;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/** Which endpoints of one Service port are usable, in one family: semantics.md, 1. */
final class EndpointChoice {
  /** In the order of a set. */
  private final Map<InetSocketAddress, EndpointState> endpoints = new LinkedHashMap<>();

  private final List<EndpointState> ready = new ArrayList<>();
  private final Service service;

  private EndpointChoice(
      Service service, ServicePort port, boolean ipv6, List<EndpointSlice> slices) {
    this.service = service;
    Map<InetSocketAddress, EndpointState> found = new HashMap<>();
    for (EndpointSlice slice : slices) {
      if (slice.ipv6() == ipv6) {
        for (SlicePort slicePort : slice.ports()) {
          if (slicePort.name().equals(port.name()) && slicePort.protocol() == port.protocol()) {
            for (EndpointState state : slice.endpoints()) {
              found.merge(
                  new InetSocketAddress(state.address(), slicePort.port()),
                  state,
                  EndpointChoice::better);
            }
          }
        }
      }
    }
    for (InetSocketAddress endpoint : EndpointSet.sorted(found.keySet())) {
      EndpointState state = Objects.requireNonNull(found.get(endpoint));
      endpoints.put(endpoint, state);
      if (state.ready()) {
        ready.add(state);
      }
    }
  }

  static Backends of(
      Service service, ServicePort port, boolean ipv6, List<EndpointSlice> slices, NodeView node) {
    EndpointChoice choice = new EndpointChoice(service, port, ipv6, slices);
    Predicate<EndpointState> local = state -> node.nodeName().equals(state.nodeName());
    EndpointSet cluster = choice.usable(choice.near(node), _ -> true);
    EndpointSet serving = choice.select(state -> state.ready() || state.serving());
    return new Backends(
        cluster,
        choice.usable(local, local),
        serving.equals(cluster) ? cluster : serving); // one is kept, and compared faster
  }

  /** Of one endpoint in several slices the living one; whichever slice comes first. */
  private static EndpointState better(EndpointState a, EndpointState b) {
    return rank(b) > rank(a) ? b : a;
  }

  private static int rank(EndpointState state) {
    return (state.terminating() ? 0 : 8)
        + (state.ready() ? 4 : 0)
        + (state.serving() ? 2 : 0)
        + (state.nodeName() == null ? 0 : 1);
  }

  /** The ready ones among {@code preferred}; if there is none, the serving and terminating. */
  private EndpointSet usable(Predicate<EndpointState> preferred, Predicate<EndpointState> set) {
    EndpointSet usable = select(preferred.and(EndpointState::ready));
    return usable.isEmpty()
        ? select(set.and(state -> state.serving() && state.terminating()))
        : usable;
  }

  private EndpointSet select(Predicate<EndpointState> wanted) {
    Map<InetSocketAddress, Integer> chosen = new LinkedHashMap<>();
    endpoints.forEach((endpoint, state) -> {
      if (wanted.test(state)) {
        chosen.put(endpoint, weight(state));
      }
    });
    return chosen.isEmpty() ? EndpointSet.EMPTY : EndpointSet.of(chosen, service.algorithm());
  }

  private int weight(EndpointState state) {
    if (service.weights().isEmpty()) {
      return 1;
    }
    for (Map.Entry<String, Integer> entry : service.weights().entrySet()) {
      InetAddress address = Addresses.parse(entry.getKey());
      if (state.address().equals(address) || entry.getKey().equals(state.nodeName())) {
        return entry.getValue();
      }
    }
    return 1;
  }

  /** Which endpoints hints leave for this node (KEP-4444, KEP-2433): same node, same zone, all. */
  private Predicate<EndpointState> near(NodeView node) {
    if (ready.stream().noneMatch(state -> state.nodeHints().isEmpty())
        && ready.stream().anyMatch(state -> state.nodeHints().contains(node.nodeName()))) {
      return state -> state.nodeHints().contains(node.nodeName());
    }
    String zone = node.zone();
    if (zone != null
        && ready.stream().noneMatch(state -> state.zoneHints().isEmpty())
        && ready.stream().anyMatch(state -> state.zoneHints().contains(zone))) {
      return state -> state.zoneHints().contains(zone);
    }
    return _ -> true;
  }
}
