package io.gatun.control.model;

import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/**
 * What is different now. Immutable.
 *
 * @param services whose Service or slices came, went or changed
 * @param pods that came, went or changed
 * @param surroundings a Node, a ServiceCIDR, a Pod or a NetworkPolicy is different
 * @param serviceObjects how many Services are
 * @param sliceObjects how many EndpointSlices are, or Services' lists of them
 */
public record ObjectChanges(
    Set<ObjectName> services,
    Set<ObjectName> pods,
    boolean surroundings,
    int serviceObjects,
    int sliceObjects) {
  public static final ObjectChanges NONE = new ObjectChanges(Set.of(), Set.of(), false, 0, 0);

  public boolean isEmpty() {
    return services.isEmpty() && pods.isEmpty() && !surroundings;
  }

  /** What tells {@code after} from {@code before}. */
  public static ObjectChanges between(ObjectSet before, ObjectSet after) {
    Set<ObjectName> services = new HashSet<>(before.services().keySet());
    services.addAll(after.services().keySet());
    Set<ObjectName> objects = new HashSet<>();
    Set<ObjectName> slices = new HashSet<>();
    for (ObjectName name : services) {
      if (!Objects.equals(before.services().get(name), after.services().get(name))) {
        objects.add(name);
      }
      if (!before.slicesOf(name).equals(after.slicesOf(name))) {
        slices.add(name);
      }
    }
    services.removeIf(name -> !objects.contains(name) && !slices.contains(name));
    Set<ObjectName> pods = new HashSet<>(before.pods().keySet());
    pods.addAll(after.pods().keySet());
    pods.removeIf(name -> Objects.equals(before.pods().get(name), after.pods().get(name)));
    boolean surroundings =
        !pods.isEmpty()
            || !before.nodes().equals(after.nodes())
            || !before.serviceCidrs().equals(after.serviceCidrs())
            || !before.networkPolicies().equals(after.networkPolicies());
    return new ObjectChanges(services, pods, surroundings, objects.size(), slices.size());
  }
}
