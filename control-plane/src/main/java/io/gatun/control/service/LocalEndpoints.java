package io.gatun.control.service;

import io.gatun.control.ObjectFollower;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.EndpointState;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.Service;
import io.gatun.control.model.TrafficPolicy;
import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What load balancers ask nodes about: which Services have endpoints here. Written by the control
 * thread, read by any.
 */
public final class LocalEndpoints implements ObjectFollower {
  /**
   * What a Service's health check node port answers.
   *
   * @param endpoints addresses on this node that are ready
   */
  public record Check(ObjectName service, int port, int endpoints) {}

  private final Map<ObjectName, Check> checks = new HashMap<>();
  private final Set<ObjectName> internal = new HashSet<>();
  private final Set<ObjectName> external = new HashSet<>();
  private volatile List<Check> published = List.of();
  private volatile List<InetAddress> addresses = List.of();
  private volatile int withoutInternal;
  private volatile int withoutExternal;

  @Override
  public void services(ClusterObjects objects, Collection<ObjectName> names, NodeView node) {
    boolean changed = false;
    for (ObjectName name : names) {
      Service service = objects.services().get(name);
      if (service == null || !Fronts.takes(service, node)) {
        changed |= checks.remove(name) != null;
        internal.remove(name);
        external.remove(name);
        continue;
      }
      changed |= judge(service, objects.slicesOf(name), node.nodeName());
    }
    withoutInternal = internal.size();
    withoutExternal = external.size();
    if (changed) {
      published = List.copyOf(checks.values());
    }
  }

  private boolean judge(Service service, List<EndpointSlice> slices, String node) {
    ObjectName name = service.name();
    boolean local = service.externalPolicy() == TrafficPolicy.LOCAL;
    boolean checked =
        service.healthCheckNodePort() != 0 && local && service.type() == Service.Type.LOAD_BALANCER;
    if (!checked && !local && service.internalPolicy() != TrafficPolicy.LOCAL) {
      internal.remove(name);
      external.remove(name);
      return checks.remove(name) != null;
    }
    Set<InetAddress> ready = new HashSet<>();
    boolean any = false;
    boolean here = false;
    for (EndpointSlice slice : slices) {
      for (EndpointState endpoint : slice.endpoints()) {
        boolean usable = endpoint.ready() || endpoint.serving();
        any |= usable;
        if (node.equals(endpoint.nodeName())) {
          here |= usable;
          if (endpoint.ready()) {
            ready.add(endpoint.address());
          }
        }
      }
    }
    boolean missing = any && !here;
    keep(internal, name, missing && service.internalPolicy() == TrafficPolicy.LOCAL);
    keep(external, name, missing && local && service.type() != Service.Type.CLUSTER_IP);
    if (!checked) {
      return checks.remove(name) != null;
    }
    Check check = new Check(name, service.healthCheckNodePort(), ready.size());
    return !check.equals(checks.put(name, check));
  }

  private static void keep(Set<ObjectName> set, ObjectName name, boolean in) {
    if (in) {
      set.add(name);
    } else {
      set.remove(name);
    }
  }

  @Override
  public void surroundings(ClusterObjects objects, NodeView node) {
    addresses = node.nodePortAddresses();
  }

  /** The ports to answer; another list when something is different. */
  public List<Check> checks() {
    return published;
  }

  /** Where they are answered. */
  public List<InetAddress> addresses() {
    return addresses;
  }

  /** Services under internalTrafficPolicy Local that have endpoints, but none here. */
  public int withoutInternal() {
    return withoutInternal;
  }

  /** The same for externalTrafficPolicy Local. */
  public int withoutExternal() {
    return withoutExternal;
  }
}
