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
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes routes into the data path; for one thread. An adjacency is there while a route uses it:
 * routes by one next hop share it, so a change of that next hop is one store for all of them.
 */
final class FibWriter {
  private static final Logger LOG = LoggerFactory.getLogger(FibWriter.class);

  /** An adjacency in use, by how many routes and groups. */
  private static final class Use {
    final int number;
    int count;

    Use(int number) {
      this.number = number;
    }
  }

  private final Fib fib;
  private final Function<Target, Adjacency> adjacency;
  private final Consumer<Target> released;
  private final Map<Target, Use> uses = new HashMap<>();
  private final Map<Integer, Set<Target>> byDevice = new HashMap<>();
  private final Map<Prefix, Target> routes = new HashMap<>();
  private boolean full;

  /**
   * @param adjacency what the data path does for a target of one next hop or none
   * @param released told of each target that was asked about and has no adjacency any more
   */
  FibWriter(Fib fib, Function<Target, Adjacency> adjacency, Consumer<Target> released) {
    this.fib = fib;
    this.adjacency = adjacency;
    this.released = released;
  }

  /** What each prefix leads to. */
  Map<Prefix, Target> routes() {
    return routes;
  }

  boolean isInUse(Target target) {
    return uses.containsKey(target);
  }

  Set<Target> targets() {
    return uses.keySet();
  }

  /** Targets in use that lead to {@code device}. */
  Set<Target> targets(int device) {
    return Set.copyOf(byDevice.getOrDefault(device, Set.of()));
  }

  /** Sends {@code prefix} to {@code target}, null for nowhere; returns what it led to before. */
  @Nullable Target set(Prefix prefix, @Nullable Target target) {
    Target before = routes.get(prefix);
    if (target == null) {
      if (before != null) {
        fib.remove(prefix.address(), prefix.length());
        routes.remove(prefix);
        release(before);
      }
    } else if (!target.equals(before)) {
      Target fitting = target;
      if (!acquire(target)) {
        fitting = Target.LOCAL;
        acquire(fitting);
      }
      fib.put(prefix.address(), prefix.length(), number(fitting));
      routes.put(prefix, fitting);
      if (before != null) {
        release(before);
      }
    }
    return before;
  }

  /** Gives the adjacency of {@code target} its present meaning; true when that is another. */
  boolean refresh(Target target) {
    Use use = uses.get(target);
    if (use == null || target instanceof Target.Several) {
      return false;
    }
    Adjacency now = adjacency.apply(target);
    if (now.equals(fib.adjacencies().get(use.number))) {
      return false;
    }
    fib.adjacencies().replace(use.number, now);
    return true;
  }

  /** What stands in the data path for {@code target} now. */
  @Nullable Adjacency adjacency(Target target) {
    Use use = uses.get(target);
    return use == null ? null : fib.adjacencies().get(use.number);
  }

  private int number(Target target) {
    Use use = uses.get(target);
    if (use == null) {
      throw new IllegalStateException("no adjacency for " + target);
    }
    return use.number;
  }

  /** False when the table has no room for another adjacency. */
  private boolean acquire(Target target) {
    Use use = uses.get(target);
    if (use == null) {
      use = added(target);
    }
    if (use != null) {
      use.count++;
    }
    return use != null;
  }

  private @Nullable Use added(Target target) {
    Adjacency now;
    if (target instanceof Target.Several several) {
      List<Integer> members = new ArrayList<>();
      for (Target hop : several.hops()) {
        if (!acquire(hop)) {
          several.hops().subList(0, members.size()).forEach(this::release);
          return null;
        }
        members.add(number(hop));
      }
      now = new Adjacency.Group(members);
    } else {
      now = adjacency.apply(target);
    }
    Use use;
    try {
      use = new Use(fib.adjacencies().add(now));
    } catch (IllegalStateException e) {
      if (target instanceof Target.Several several) {
        several.hops().forEach(this::release);
      }
      released.accept(target);
      if (!full) {
        full = true;
        LOG.warn("{}; routes beyond it lead to the kernel", e.getMessage());
      }
      return null;
    }
    uses.put(target, use);
    index(target, true);
    return use;
  }

  private void release(Target target) {
    Use use = uses.get(target);
    if (use != null && --use.count == 0) {
      uses.remove(target);
      index(target, false);
      fib.adjacencies().remove(use.number);
      released.accept(target);
      // The group before its members: no group may name a number that is free.
      if (target instanceof Target.Several several) {
        several.hops().forEach(this::release);
      }
    }
  }

  private void index(Target target, boolean added) {
    int device =
        switch (target) {
          case Target.Hop hop -> hop.device();
          case Target.OnLink(int on) -> on;
          default -> 0;
        };
    if (device == 0) {
      return;
    }
    if (added) {
      byDevice.computeIfAbsent(device, _ -> new HashSet<>()).add(target);
      return;
    }
    Set<Target> targets = byDevice.get(device);
    if (targets != null && targets.remove(target) && targets.isEmpty()) {
      byDevice.remove(device);
    }
  }
}
