package io.gatun.agent.config;

import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * kube-proxy's own configuration (kubeproxy.config.k8s.io/v1alpha1, Kubernetes 1.31 to 1.36), as
 * much of it as has a meaning here. Immutable.
 *
 * @param hostnameOverride this node's name, null: the host name
 * @param bindAddress the node's primary address of its family, null: not said
 * @param kubeconfig how the API server is reached, null: not said
 * @param nodePortAddresses CIDRs, or "primary", or "all"; never empty
 * @param masqueradeAll replace the client's address also on cluster IPs
 * @param externalIPs take {@code spec.externalIPs} of Services (feature gate
 *     AllowServiceExternalIPs, KEP-5707)
 * @param clusterCidrs where pods live
 * @param bridgeInterface for BRIDGE_INTERFACE, else empty
 * @param interfaceNamePrefix for INTERFACE_NAME_PREFIX, else empty
 * @param meaningless the fields that the file sets and that mean nothing here
 */
public record KubeProxyConfiguration(
    @Nullable String hostnameOverride,
    @Nullable InetAddress bindAddress,
    @Nullable Path kubeconfig,
    InetSocketAddress healthzBindAddress,
    InetSocketAddress metricsBindAddress,
    List<String> nodePortAddresses,
    boolean masqueradeAll,
    boolean externalIPs,
    DetectLocal detectLocalMode,
    String bridgeInterface,
    String interfaceNamePrefix,
    List<Prefix> clusterCidrs,
    Timeouts conntrack,
    List<String> meaningless) {

  /** How a client is known to be local to the cluster; NONE: everybody is taken for local. */
  public enum DetectLocal {
    NONE,
    CLUSTER_CIDR,
    NODE_CIDR,
    BRIDGE_INTERFACE,
    INTERFACE_NAME_PREFIX
  }

  /** Flows: how many, how long. */
  public record Timeouts(
      int maxPerCore,
      int min,
      Duration tcpEstablished,
      Duration tcpCloseWait,
      Duration udp,
      Duration udpStream) {}
}
