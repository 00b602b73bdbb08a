package io.gatun.control.model;

import io.gatun.control.document.Prefix;
import io.gatun.service.Algorithm;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Service. Immutable.
 *
 * @param type what it is reached by
 * @param clusterIPs one a family at most; empty when it has none or is headless
 * @param externalIPs deprecated in Kubernetes 1.36
 * @param loadBalancerIPs {@code status.loadBalancer.ingress[].ip} with ipMode nil or VIP
 * @param sourceRanges who may use the load balancer addresses; empty: everybody
 * @param affinitySeconds session affinity by client address; 0 for none
 * @param affinityPrefixLength IPv6 clients that agree in so many bits are one
 * @param algorithm how an endpoint is chosen
 * @param weights of endpoints, by address or by the name of their node; the others have 1
 * @param healthCheckNodePort 0 for none
 * @param headlessLabel label {@code service.kubernetes.io/headless} is there
 * @param proxyName label {@code service.kubernetes.io/service-proxy-name}: whose Service it is
 */
public record Service(
    ObjectName name,
    Type type,
    List<InetAddress> clusterIPs,
    List<InetAddress> externalIPs,
    List<InetAddress> loadBalancerIPs,
    List<Prefix> sourceRanges,
    List<ServicePort> ports,
    TrafficPolicy internalPolicy,
    TrafficPolicy externalPolicy,
    int affinitySeconds,
    int affinityPrefixLength,
    Algorithm algorithm,
    Map<String, Integer> weights,
    int healthCheckNodePort,
    boolean headlessLabel,
    @Nullable String proxyName)
    implements KubernetesObject {

  /** {@code spec.type}. */
  public enum Type {
    CLUSTER_IP,
    NODE_PORT,
    LOAD_BALANCER,
    EXTERNAL_NAME
  }

  @Override
  public String kind() {
    return "Service";
  }
}
