package io.gatun.control.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A cluster's objects, changed one by one, and what changed; for one thread. A change costs what it
 * touches, however many objects there are.
 */
public final class ObjectStore implements ClusterObjects {
  private final Map<ObjectName, Service> services = new HashMap<>();
  private final Map<ObjectName, EndpointSlice> slices = new HashMap<>();

  /** Of each Service, in the order of their names; one of most. */
  private final Map<ObjectName, List<EndpointSlice>> slicesOf = new HashMap<>();

  private final Map<String, Node> nodes = new TreeMap<>();
  private final Map<ObjectName, ServiceCidr> cidrs = new TreeMap<>();
  private final Map<ObjectName, Pod> pods = new TreeMap<>();
  private final Map<ObjectName, NetworkPolicy> policies = new TreeMap<>();
  private Set<ObjectName> changedServices = new HashSet<>();
  private Set<ObjectName> changedPods = new HashSet<>();
  private boolean surroundings;
  private int serviceObjects;
  private int sliceObjects;

  /** This is the object of its kind and name now; true when that is a change. */
  public boolean put(KubernetesObject object) {
    return switch (object) {
      case Service service -> {
        boolean changed = !service.equals(services.put(service.name(), service));
        if (changed) {
          changedServices.add(service.name());
          serviceObjects++;
        }
        yield changed;
      }
      case EndpointSlice slice -> {
        EndpointSlice before = slices.put(slice.name(), slice);
        boolean changed = !slice.equals(before);
        if (changed) {
          sliceObjects++;
          unlink(before);
          if (slice.service() != null) {
            slicesOf.merge(slice.service(), List.of(slice), ObjectStore::inOrder);
            changedServices.add(slice.service());
          }
        }
        yield changed;
      }
      case Node node -> surroundings(!node.equals(nodes.put(node.name().name(), node)));
      case ServiceCidr cidr -> surroundings(!cidr.equals(cidrs.put(cidr.name(), cidr)));
      case NetworkPolicy policy ->
          surroundings(!policy.equals(policies.put(policy.name(), policy)));
      case Pod pod -> pod(pod.name(), !pod.equals(pods.put(pod.name(), pod)));
    };
  }

  /** There is no such object any more; true when there was. */
  public boolean remove(String kind, ObjectName name) {
    return switch (kind) {
      case "Service" -> {
        boolean was = services.remove(name) != null;
        if (was) {
          changedServices.add(name);
          serviceObjects++;
        }
        yield was;
      }
      case "EndpointSlice" -> {
        EndpointSlice before = slices.remove(name);
        if (before != null) {
          sliceObjects++;
        }
        unlink(before);
        yield before != null;
      }
      case "Node" -> surroundings(nodes.remove(name.name()) != null);
      case "ServiceCIDR" -> surroundings(cidrs.remove(name) != null);
      case "NetworkPolicy" -> surroundings(policies.remove(name) != null);
      case "Pod" -> pod(name, pods.remove(name) != null);
      default -> throw new IllegalArgumentException(kind);
    };
  }

  private void unlink(@Nullable EndpointSlice slice) {
    if (slice == null || slice.service() == null) {
      return;
    }
    slicesOf.computeIfPresent(slice.service(), (_, slices) -> without(slices, slice.name()));
    changedServices.add(slice.service());
  }

  private static @Nullable List<EndpointSlice> without(List<EndpointSlice> of, ObjectName name) {
    List<EndpointSlice> left = of.stream().filter(slice -> !slice.name().equals(name)).toList();
    return left.isEmpty() ? null : left;
  }

  private static List<EndpointSlice> inOrder(List<EndpointSlice> of, List<EndpointSlice> more) {
    List<EndpointSlice> all = new ArrayList<>(of);
    all.addAll(more);
    all.sort(Comparator.comparing(EndpointSlice::name));
    return List.copyOf(all);
  }

  private boolean surroundings(boolean changed) {
    surroundings |= changed;
    return changed;
  }

  private boolean pod(ObjectName name, boolean changed) {
    if (changed) {
      changedPods.add(name);
    }
    return surroundings(changed);
  }

  /** The names of all objects of {@code kind}; a copy. */
  public Set<ObjectName> names(String kind) {
    return switch (kind) {
      case "Service" -> new HashSet<>(services.keySet());
      case "EndpointSlice" -> new HashSet<>(slices.keySet());
      case "Node" -> {
        Set<ObjectName> names = new HashSet<>();
        nodes.values().forEach(node -> names.add(node.name()));
        yield names;
      }
      case "ServiceCIDR" -> new HashSet<>(cidrs.keySet());
      case "NetworkPolicy" -> new HashSet<>(policies.keySet());
      case "Pod" -> new HashSet<>(pods.keySet());
      default -> throw new IllegalArgumentException(kind);
    };
  }

  /** What changed since this was last asked. */
  public ObjectChanges takeChanges() {
    if (changedServices.isEmpty() && changedPods.isEmpty() && !surroundings) {
      return ObjectChanges.NONE;
    }
    ObjectChanges changes =
        new ObjectChanges(changedServices, changedPods, surroundings, serviceObjects, sliceObjects);
    serviceObjects = 0;
    sliceObjects = 0;
    changedServices = new HashSet<>();
    changedPods = new HashSet<>();
    surroundings = false;
    return changes;
  }

  /** Everything there is; a copy. */
  public List<KubernetesObject> all() {
    List<KubernetesObject> all = new ArrayList<>(services.values());
    all.addAll(slices.values());
    all.addAll(nodes.values());
    all.addAll(cidrs.values());
    all.addAll(pods.values());
    all.addAll(policies.values());
    return all;
  }

  @Override
  public Map<ObjectName, Service> services() {
    return Collections.unmodifiableMap(services);
  }

  @Override
  public List<EndpointSlice> slicesOf(ObjectName service) {
    return slicesOf.getOrDefault(service, List.of());
  }

  @Override
  public Map<String, Node> nodes() {
    return Collections.unmodifiableMap(nodes);
  }

  @Override
  public Collection<ServiceCidr> serviceCidrs() {
    return Collections.unmodifiableCollection(cidrs.values());
  }

  @Override
  public Map<ObjectName, Pod> pods() {
    return Collections.unmodifiableMap(pods);
  }

  @Override
  public Collection<NetworkPolicy> networkPolicies() {
    return Collections.unmodifiableCollection(policies.values());
  }
}
