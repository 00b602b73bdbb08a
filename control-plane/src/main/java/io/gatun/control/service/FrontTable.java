package io.gatun.control.service;

import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.Pod;
import io.gatun.control.model.Service;
import io.gatun.service.FrontKey;
import io.gatun.service.FrontSpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fronts that are wanted, and what changes them; for one thread.
 *
 * <p>Two Services may claim the same front (only by mistake or malice: an external IP that is
 * another Service's cluster IP). Then the kind decides, in the order of {@link
 * io.gatun.service.FrontKind}, then the Service's name; when the winner goes, the other gets it.
 */
public final class FrontTable {
  private static final Logger LOG = LoggerFactory.getLogger(FrontTable.class);

  private static final Comparator<FrontSpec> PRECEDENCE =
      Comparator.comparing(FrontSpec::kind).thenComparing(FrontSpec::service);

  private final Map<Claimant, List<FrontSpec>> byClaimant = new HashMap<>();

  /** Who has fronts: a Service or a pod. */
  private record Claimant(String kind, ObjectName name) {}

  private final Map<FrontKey, List<FrontSpec>> claims = new HashMap<>();

  /** Takes {@code next} as what is wanted, as {@code node} sees it; returns what that changes. */
  public FrontChange update(ClusterObjects next, NodeView node) {
    Set<ObjectName> services = claimants("Service");
    services.addAll(next.services().keySet());
    Set<ObjectName> pods = claimants("Pod");
    pods.addAll(next.pods().keySet());
    return update(next, services, pods, node);
  }

  /** The same for these alone; of the others nothing has changed. */
  public FrontChange update(
      ClusterObjects next,
      Collection<ObjectName> services,
      Collection<ObjectName> pods,
      NodeView node) {
    Map<FrontKey, @Nullable FrontSpec> before = new HashMap<>();
    for (ObjectName name : services) {
      Service service = next.services().get(name);
      replace(
          new Claimant("Service", name),
          service == null ? List.of() : Fronts.of(service, next.slicesOf(name), node),
          before);
    }
    for (ObjectName name : pods) {
      Pod pod = next.pods().get(name);
      replace(new Claimant("Pod", name), pod == null ? List.of() : Fronts.of(pod, node), before);
    }
    return change(before);
  }

  /** The names of those of {@code kind} ("Service" or "Pod") that have fronts; a copy. */
  public Set<ObjectName> claimants(String kind) {
    Set<ObjectName> names = new LinkedHashSet<>();
    for (Claimant claimant : byClaimant.keySet()) {
      if (claimant.kind().equals(kind)) {
        names.add(claimant.name());
      }
    }
    return names;
  }

  /** All fronts, one of each key. */
  public Collection<FrontSpec> fronts() {
    return claims.values().stream().map(List::getFirst).toList();
  }

  private void replace(
      Claimant name, List<FrontSpec> wanted, Map<FrontKey, @Nullable FrontSpec> before) {
    List<FrontSpec> old = byClaimant.getOrDefault(name, List.of());
    if (wanted.equals(old)) {
      return;
    }
    for (FrontSpec front : old) {
      remember(front.key(), before);
      List<FrontSpec> left = new ArrayList<>(claims.getOrDefault(front.key(), List.of()));
      left.remove(front);
      put(front.key(), left);
    }
    for (FrontSpec front : wanted) {
      remember(front.key(), before);
      List<FrontSpec> claimants = new ArrayList<>(claims.getOrDefault(front.key(), List.of()));
      claimants.add(front);
      Collections.sort(claimants, PRECEDENCE);
      put(front.key(), claimants);
      if (claimants.size() > 1 && !claimants.get(0).service().equals(claimants.get(1).service())) {
        LOG.warn(
            "{} is claimed by {} and {}; the first has it",
            front.key(),
            claimants.get(0).service(),
            claimants.get(1).service());
      }
    }
    if (wanted.isEmpty()) {
      byClaimant.remove(name);
    } else {
      byClaimant.put(name, wanted);
    }
  }

  private void remember(FrontKey key, Map<FrontKey, @Nullable FrontSpec> before) {
    if (!before.containsKey(key)) {
      before.put(key, winner(key));
    }
  }

  private @Nullable FrontSpec winner(FrontKey key) {
    List<FrontSpec> claimants = claims.get(key);
    return claimants == null ? null : claimants.getFirst();
  }

  private void put(FrontKey key, List<FrontSpec> claimants) {
    if (claimants.isEmpty()) {
      claims.remove(key);
    } else {
      claims.put(key, List.copyOf(claimants));
    }
  }

  private FrontChange change(Map<FrontKey, @Nullable FrontSpec> before) {
    List<FrontSpec> changed = new ArrayList<>();
    List<FrontKey> removed = new ArrayList<>();
    before.forEach((key, was) -> {
      FrontSpec is = winner(key);
      if (is == null && was != null) {
        removed.add(key);
      } else if (is != null && !is.equals(was)) {
        changed.add(is);
      }
    });
    return new FrontChange(changed, removed);
  }
}
