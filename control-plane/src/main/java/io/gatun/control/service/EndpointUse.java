package io.gatun.control.service;

import io.gatun.service.EndpointSet;
import io.gatun.service.FrontKey;
import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The addresses that fronts send to, counted; a change costs its fronts. For one thread. */
public final class EndpointUse {
  private final Map<FrontKey, EndpointSet> sets = new HashMap<>();
  private final Map<EndpointSet, Integer> users = new HashMap<>();
  private final Map<InetAddress, Integer> addresses = new HashMap<>();

  /** Takes what changed. */
  public void apply(FrontChange change) {
    for (FrontKey key : change.removed()) {
      release(sets.remove(key));
    }
    for (FrontSpec front : change.changedOrNew()) {
      EndpointSet set = front.policyLocal() ? front.backends().local() : front.backends().cluster();
      EndpointSet before = sets.put(front.key(), set);
      if (!set.equals(before)) {
        if (users.merge(set, 1, Integer::sum) == 1) {
          count(set, 1);
        }
        release(before);
      }
    }
  }

  private void release(@Nullable EndpointSet set) {
    if (set != null && users.merge(set, -1, EndpointUse::sumOrNone) == null) {
      count(set, -1);
    }
  }

  private void count(EndpointSet set, int change) {
    for (InetSocketAddress endpoint : set.endpoints()) {
      addresses.merge(endpoint.getAddress(), change, EndpointUse::sumOrNone);
    }
  }

  private static @Nullable Integer sumOrNone(Integer a, Integer b) {
    return a + b == 0 ? null : a + b;
  }

  /** Those in use now; a view. */
  public Set<InetAddress> addresses() {
    return Collections.unmodifiableSet(addresses.keySet());
  }
}
