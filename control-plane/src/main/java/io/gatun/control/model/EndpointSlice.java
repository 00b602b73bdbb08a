package io.gatun.control.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An EndpointSlice of IPv4 or IPv6 endpoints; one of names (FQDN) has no endpoints here. Immutable.
 *
 * @param service the Service of its namespace that it belongs to, null when the label is missing
 * @param ports without those that are nil or 0
 */
public record EndpointSlice(
    ObjectName name,
    @Nullable ObjectName service,
    boolean ipv6,
    List<SlicePort> ports,
    List<EndpointState> endpoints)
    implements KubernetesObject {

  /** The label that names the Service. */
  public static final String SERVICE_LABEL = "kubernetes.io/service-name";

  @Override
  public String kind() {
    return "EndpointSlice";
  }
}
