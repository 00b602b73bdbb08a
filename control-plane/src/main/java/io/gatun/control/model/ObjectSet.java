package io.gatun.control.model;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * All objects of one moment. Immutable.
 *
 * @param slices by the Service they belong to, in name order
 */
public record ObjectSet(
    Map<ObjectName, Service> services,
    Map<ObjectName, List<EndpointSlice>> slices,
    Map<String, Node> nodes,
    List<ServiceCidr> serviceCidrs,
    Map<ObjectName, Pod> pods,
    List<NetworkPolicy> networkPolicies)
    implements ClusterObjects {

  public static final ObjectSet EMPTY =
      new ObjectSet(Map.of(), Map.of(), Map.of(), List.of(), Map.of(), List.of());

  /** The set of these objects, whose names are unique within each kind. */
  public static ObjectSet of(Iterable<KubernetesObject> objects) {
    Map<ObjectName, Service> services = new TreeMap<>();
    Map<ObjectName, Set<EndpointSlice>> slices = new TreeMap<>();
    Map<String, Node> nodes = new TreeMap<>();
    Map<ObjectName, Pod> pods = new TreeMap<>();
    Set<NetworkPolicy> policies = new TreeSet<>(Comparator.comparing(NetworkPolicy::name));
    Set<ServiceCidr> cidrs = new TreeSet<>(Comparator.comparing(ServiceCidr::name));
    for (KubernetesObject object : objects) {
      switch (object) {
        case Service service -> services.put(service.name(), service);
        case EndpointSlice slice -> {
          if (slice.service() != null) {
            slices
                .computeIfAbsent(
                    slice.service(), _ -> new TreeSet<>(Comparator.comparing(EndpointSlice::name)))
                .add(slice);
          }
        }
        case Node node -> nodes.put(node.name().name(), node);
        case ServiceCidr cidr -> cidrs.add(cidr);
        case NetworkPolicy policy -> policies.add(policy);
        case Pod pod -> pods.put(pod.name(), pod);
      }
    }
    Map<ObjectName, List<EndpointSlice>> sorted = new TreeMap<>();
    slices.forEach((service, of) -> sorted.put(service, List.copyOf(of)));
    return new ObjectSet(services, sorted, nodes, List.copyOf(cidrs), pods, List.copyOf(policies));
  }

  /** Whether this very object is in the set. */
  public boolean has(KubernetesObject object) {
    return switch (object) {
      case Service service -> service.equals(services.get(service.name()));
      case EndpointSlice slice ->
          slice.service() != null && slicesOf(slice.service()).contains(slice);
      case Node node -> node.equals(nodes.get(node.name().name()));
      case ServiceCidr cidr -> serviceCidrs.contains(cidr);
      case Pod pod -> pod.equals(pods.get(pod.name()));
      case NetworkPolicy policy -> networkPolicies.contains(policy);
    };
  }

  @Override
  public List<EndpointSlice> slicesOf(ObjectName service) {
    return slices.getOrDefault(service, List.of());
  }
}
