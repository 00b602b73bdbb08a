package io.gatun.control.service;

import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.EndpointState;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.SlicePort;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The usable endpoints of one Service port in one family. Immutable.
 *
 * @param cluster where traffic under policy Cluster may go
 * @param local where traffic under policy Local may go
 */
record EndpointChoice(List<InetSocketAddress> cluster, List<InetSocketAddress> local) {

  /** By address bytes, then port: the order must not depend on which slice came first. */
  private static final Comparator<InetSocketAddress> ORDER =
      Comparator.comparing(
              (InetSocketAddress e) -> e.getAddress().getAddress(),
              (a, b) -> java.util.Arrays.compareUnsigned(a, b))
          .thenComparingInt(InetSocketAddress::getPort);

  static EndpointChoice of(
      ServicePort port, boolean ipv6, List<EndpointSlice> slices, NodeView node) {
    Map<InetSocketAddress, EndpointState> endpoints = new TreeMap<>(ORDER);
    for (EndpointSlice slice : slices) {
      if (slice.ipv6() == ipv6) {
        for (SlicePort slicePort : slice.ports()) {
          if (slicePort.name().equals(port.name()) && slicePort.protocol() == port.protocol()) {
            for (EndpointState state : slice.endpoints()) {
              endpoints.merge(
                  new InetSocketAddress(state.address(), slicePort.port()),
                  state,
                  (a, b) -> a.terminating() && !b.terminating() ? b : a);
            }
          }
        }
      }
    }
    Predicate<EndpointState> local = state -> node.nodeName().equals(state.nodeName());
    Predicate<EndpointState> near = near(endpoints, node);
    return new EndpointChoice(usable(endpoints, near, _ -> true), usable(endpoints, local, local));
  }

  /** The ready ones among {@code preferred}; if there is none, the serving and terminating. */
  private static List<InetSocketAddress> usable(
      Map<InetSocketAddress, EndpointState> endpoints,
      Predicate<EndpointState> preferred,
      Predicate<EndpointState> set) {
    List<InetSocketAddress> ready = select(endpoints, preferred.and(EndpointState::ready));
    return ready.isEmpty()
        ? select(endpoints, set.and(state -> state.serving() && state.terminating()))
        : ready;
  }

  private static List<InetSocketAddress> select(
      Map<InetSocketAddress, EndpointState> endpoints, Predicate<EndpointState> wanted) {
    return endpoints.entrySet().stream()
        .filter(entry -> wanted.test(entry.getValue()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Which endpoints hints leave for this node (KEP-4444, KEP-2433): same node, same zone, all. */
  private static Predicate<EndpointState> near(
      Map<InetSocketAddress, EndpointState> endpoints, NodeView node) {
    List<EndpointState> ready = endpoints.values().stream().filter(EndpointState::ready).toList();
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
