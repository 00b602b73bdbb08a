package io.gatun.control.model;

/** Any object that we read. Immutable. */
public sealed interface KubernetesObject
    permits Service, EndpointSlice, Node, Pod, ServiceCidr, NetworkPolicy {
  ObjectName name();

  /** The kind, as the object itself spells it. */
  String kind();
}
