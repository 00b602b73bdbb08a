package io.gatun.control.model;

import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is different now. Immutable.
 *
 * @param services whose Service or slices came, went or changed
 * @param pods that came, went or changed
 * @param surroundings a Node, a ServiceCIDR, a Pod or a NetworkPolicy is different
 */
public record ObjectChanges(Set<ObjectName> services, Set<ObjectName> pods, boolean surroundings) {
  public static final ObjectChanges NONE = new ObjectChanges(Set.of(), Set.of(), false);

  public boolean isEmpty() {
    return services.isEmpty() && pods.isEmpty() && !surroundings;
  }

  /** What tells {@code after} from {@code before}. */
  public static ObjectChanges between(ObjectSet before, ObjectSet after) {
    Set<ObjectName> services = new HashSet<>(before.services().keySet());
    services.addAll(after.services().keySet());
    services.removeIf(name ->
        same(before.services().get(name), after.services().get(name))
            && before.slicesOf(name).equals(after.slicesOf(name)));
    Set<ObjectName> pods = new HashSet<>(before.pods().keySet());
    pods.addAll(after.pods().keySet());
    pods.removeIf(name -> same(before.pods().get(name), after.pods().get(name)));
    boolean surroundings =
        !pods.isEmpty()
            || !before.nodes().equals(after.nodes())
            || !before.serviceCidrs().equals(after.serviceCidrs())
            || !before.networkPolicies().equals(after.networkPolicies());
    return new ObjectChanges(services, pods, surroundings);
  }

  private static boolean same(@Nullable Object a, @Nullable Object b) {
    return Objects.equals(a, b);
  }
}
