package io.gatun.control.kernel;

import io.gatun.control.document.Prefix;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** Which prefixes are to be worked out again when something changes; for one thread. */
final class Dependents {
  private final Map<Object, Set<Prefix>> prefixes = new HashMap<>();
  private final Map<Prefix, Set<Object>> reasons = new HashMap<>();

  /** From now on {@code prefix} depends on {@code what} and on nothing else. */
  void set(Prefix prefix, Set<Object> what) {
    Set<Object> before = what.isEmpty() ? reasons.remove(prefix) : reasons.put(prefix, what);
    if (what.equals(before)) {
      return;
    }
    if (before != null) {
      for (Object reason : before) {
        Set<Prefix> those = prefixes.get(reason);
        if (those != null && those.remove(prefix) && those.isEmpty()) {
          prefixes.remove(reason);
        }
      }
    }
    for (Object reason : what) {
      prefixes.computeIfAbsent(reason, _ -> new LinkedHashSet<>()).add(prefix);
    }
  }

  /** Those that depend on {@code what}. */
  Set<Prefix> of(Object what) {
    return prefixes.getOrDefault(what, Set.of());
  }
}
