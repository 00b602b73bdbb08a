package io.gatun.control.model;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/** What a cluster has, by kind. The maps are views: not to be changed, nor kept. */
public interface ClusterObjects {
  Map<ObjectName, Service> services();

  /** The slices of a Service, in name order; empty when it has none. */
  List<EndpointSlice> slicesOf(ObjectName service);

  Map<String, Node> nodes();

  Collection<ServiceCidr> serviceCidrs();

  Map<ObjectName, Pod> pods();

  Collection<NetworkPolicy> networkPolicies();
}
