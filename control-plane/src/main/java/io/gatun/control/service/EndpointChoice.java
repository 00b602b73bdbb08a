package io.gatun.control.service;

import io.gatun.control.document.Addresses;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.EndpointState;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.SlicePort;
import io.gatun.service.Backends;
import io.gatun.service.EndpointKey;
import io.gatun.service.EndpointSet;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/** Which endpoints of one Service port are usable, in one family: semantics.md, 1. */
final class EndpointChoice {
  private record Candidate(EndpointKey key, EndpointState state) {}

  /** In the order of a set, each once. */
  private final List<Candidate> candidates;

  private final Service service;
  private final boolean ipv6;

  private EndpointChoice(
      Service service, ServicePort port, boolean ipv6, List<EndpointSlice> slices) {
    this.service = service;
    this.ipv6 = ipv6;
    List<Candidate> found = new ArrayList<>();
    for (EndpointSlice slice : slices) {
      if (slice.ipv6() == ipv6) {
        for (SlicePort slicePort : slice.ports()) {
          if (slicePort.name().equals(port.name()) && slicePort.protocol() == port.protocol()) {
            for (EndpointState state : slice.endpoints()) {
              found.add(new Candidate(EndpointKey.of(state.address(), slicePort.port()), state));
            }
          }
        }
      }
    }
    candidates = sorted(found);
  }

  /** Each key once, with the best that is said of it. */
  private static List<Candidate> sorted(List<Candidate> found) {
    found.sort((a, b) -> a.key.compareTo(b.key)); // stable
    int kept = 0;
    for (Candidate candidate : found) {
      if (kept > 0 && found.get(kept - 1).key.equals(candidate.key)) {
        if (rank(candidate.state) > rank(found.get(kept - 1).state)) {
          found.set(kept - 1, candidate);
        }
      } else {
        found.set(kept++, candidate);
      }
    }
    return found.subList(0, kept);
  }

  static Backends of(
      Service service, ServicePort port, boolean ipv6, List<EndpointSlice> slices, NodeView node) {
    EndpointChoice choice = new EndpointChoice(service, port, ipv6, slices);
    if (choice.candidates.isEmpty()) {
      return Backends.NONE;
    }
    Predicate<EndpointState> local = state -> node.nodeName().equals(state.nodeName());
    EndpointSet cluster = choice.usable(choice.near(node), _ -> true);
    EndpointSet serving = choice.select(state -> state.ready() || state.serving());
    return new Backends(
        cluster,
        choice.usable(local, local),
        serving.equals(cluster) ? cluster : serving); // one is kept, and compared faster
  }

  /** Of one endpoint in several slices the living one is best; whichever slice comes first. */
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
    EndpointSet.Builder chosen = null;
    for (Candidate candidate : candidates) {
      if (wanted.test(candidate.state)) {
        if (chosen == null) {
          chosen = EndpointSet.builder(ipv6, service.algorithm(), candidates.size());
        }
        EndpointKey key = candidate.key;
        chosen.add(key.high(), key.low(), key.port(), weight(candidate.state));
      }
    }
    return chosen == null ? EndpointSet.EMPTY : chosen.build();
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
    if (hints(EndpointState::nodeHints, node.nodeName())) {
      return state -> state.nodeHints().contains(node.nodeName());
    }
    String zone = node.zone();
    if (zone != null && hints(EndpointState::zoneHints, zone)) {
      return state -> state.zoneHints().contains(zone);
    }
    return _ -> true;
  }

  /** Every ready endpoint has hints, and one of them names {@code here}. */
  private boolean hints(Function<EndpointState, List<String>> of, String here) {
    boolean named = false;
    for (Candidate candidate : candidates) {
      if (candidate.state.ready()) {
        List<String> hints = of.apply(candidate.state);
        if (hints.isEmpty()) {
          return false;
        }
        named |= hints.contains(here);
      }
    }
    return named;
  }
}
