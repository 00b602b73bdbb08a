package io.gatun.control.service;

import io.gatun.control.document.Prefix;
import io.gatun.service.EndpointSet;
import io.gatun.service.FrontKey;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Of all fronts those that concern more than the service table: what is claimed of the node's own
 * ports, and which rules and routes lead the host's traffic to us. A cluster IP out of a Service
 * CIDR without an endpoint on the node itself, which most of a large cluster's are, concerns nobody
 * else, so its changes cost nobody else anything. For one thread.
 */
public final class NotableFronts {
  private final Map<FrontKey, FrontSpec> notable = new HashMap<>();
  private List<Prefix> cidrs = List.of();
  private Set<InetAddress> own = Set.of();
  private volatile Collection<FrontSpec> published = List.of();

  /** Judges all of {@code fronts} anew, when these are not what they were judged by before. */
  public void judgeBy(
      List<Prefix> serviceCidrs,
      Set<InetAddress> ownAddresses,
      Supplier<Collection<FrontSpec>> fronts) {
    if (serviceCidrs.equals(cidrs) && ownAddresses.equals(own)) {
      return;
    }
    cidrs = List.copyOf(serviceCidrs);
    own = Set.copyOf(ownAddresses);
    notable.clear();
    for (FrontSpec front : fronts.get()) {
      if (isNotable(front)) {
        notable.put(front.key(), front);
      }
    }
    published = List.copyOf(notable.values());
  }

  /** Takes what changed. */
  public void apply(FrontChange change) {
    boolean changed = false;
    for (FrontKey key : change.removed()) {
      changed |= notable.remove(key) != null;
    }
    for (FrontSpec front : change.changedOrNew()) {
      if (isNotable(front)) {
        notable.put(front.key(), front);
        changed = true;
      } else {
        changed |= notable.remove(front.key()) != null;
      }
    }
    if (changed) {
      published = List.copyOf(notable.values());
    }
  }

  /** Another collection whenever they changed. From any thread. */
  public Collection<FrontSpec> fronts() {
    return published;
  }

  private boolean isNotable(FrontSpec front) {
    return front.kind() != FrontKind.CLUSTER_IP
        || own.contains(front.address())
        || cidrs.stream().noneMatch(cidr -> cidr.contains(front.address()))
        || onNode(front.backends().cluster())
        || onNode(front.backends().local());
  }

  private boolean onNode(EndpointSet set) {
    for (InetSocketAddress endpoint : set.endpoints()) {
      if (own.contains(endpoint.getAddress())) {
        return true;
      }
    }
    return false;
  }
}
