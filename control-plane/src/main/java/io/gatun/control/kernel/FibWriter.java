package io.gatun.control.kernel;

import io.gatun.control.document.Prefix;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes the data path's routes what a plan says, by the least change; for one thread. */
final class FibWriter {
  private final Fib fib;
  private final Adjacency local;
  private final Map<Target, Integer> numbers = new HashMap<>();
  private final Map<Prefix, Target> installed = new HashMap<>();

  /**
   * @param local what becomes of packets for this node itself
   */
  FibWriter(Fib fib, Adjacency local) {
    this.fib = fib;
    this.local = local;
  }

  /** Returns how many adjacencies and routes changed. */
  int apply(RoutePlan plan) {
    int changes = 0;
    Set<Target> wanted = new HashSet<>();
    for (Target target : plan.routes().values()) {
      changes += adjacency(target, plan, wanted);
    }
    for (Map.Entry<Prefix, Target> route : plan.routes().entrySet()) {
      if (!route.getValue().equals(installed.put(route.getKey(), route.getValue()))) {
        fib.put(route.getKey().address(), route.getKey().length(), number(route.getValue()));
        changes++;
      }
    }
    List<Prefix> gone = new ArrayList<>(installed.keySet());
    gone.removeAll(plan.routes().keySet());
    for (Prefix prefix : gone) {
      installed.remove(prefix);
      fib.remove(prefix.address(), prefix.length());
      changes++;
    }
    // Groups before their members: no group may name a number that is free.
    List<Target> unused = new ArrayList<>(numbers.keySet());
    unused.removeIf(wanted::contains);
    unused.sort(
        (a, b) -> Boolean.compare(b instanceof Target.Several, a instanceof Target.Several));
    for (Target target : unused) {
      fib.adjacencies().remove(number(target));
      numbers.remove(target);
      changes++;
    }
    return changes;
  }

  private int number(Target target) {
    Integer number = numbers.get(target);
    if (number == null) {
      throw new IllegalStateException("no adjacency for " + target);
    }
    return number;
  }

  /** Adds or changes the adjacency of {@code target}; a group's members before the group. */
  private int adjacency(Target target, RoutePlan plan, Set<Target> wanted) {
    if (!wanted.add(target)) {
      return 0;
    }
    int changes = 0;
    Adjacency adjacency;
    if (target instanceof Target.Several several) {
      List<Integer> members = new ArrayList<>();
      for (Target hop : several.hops()) {
        changes += adjacency(hop, plan, wanted);
        members.add(number(hop));
      }
      adjacency = new Adjacency.Group(members);
    } else {
      adjacency = plan.adjacency(target, local);
    }
    Integer number = numbers.get(target);
    if (number == null) {
      numbers.put(target, fib.adjacencies().add(adjacency));
      changes++;
    } else if (!adjacency.equals(fib.adjacencies().get(number))) {
      fib.adjacencies().replace(number, adjacency);
      changes++;
    }
    return changes;
  }

  /** Next hops that are in use. */
  Set<Target> targets() {
    return Set.copyOf(numbers.keySet());
  }
}
