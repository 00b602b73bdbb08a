package io.gatun.control.service;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How this node sees the cluster: what a Service's fronts depend on besides the Service. Immutable.
 *
 * @param nodeName what {@code endpoints[].nodeName} says for local ones
 * @param zone this node's {@code topology.kubernetes.io/zone}, null when unknown
 * @param nodePortAddresses where node ports are answered; see {@link NodePortAddresses}
 * @param proxyName whose Services are taken by label {@code service-proxy-name}; empty for those
 *     without the label
 * @param masqueradeAll replace the client's address on cluster IPs too
 */
public record NodeView(
    String nodeName,
    @Nullable String zone,
    List<InetAddress> nodePortAddresses,
    String proxyName,
    boolean masqueradeAll) {

  public NodeView {
    nodePortAddresses = List.copyOf(nodePortAddresses);
  }

  /** With defaults for all that most nodes leave as it is. */
  public static NodeView of(String nodeName, List<InetAddress> nodePortAddresses) {
    return new NodeView(nodeName, null, nodePortAddresses, "", false);
  }
}
