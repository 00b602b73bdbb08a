package io.gatun.control.service;

import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How this node sees the cluster: what a Service's fronts depend on besides the Service. Immutable.
 *
 * @param nodeName what {@code endpoints[].nodeName} says for local ones
 * @param zone this node's {@code topology.kubernetes.io/zone}, null when unknown
 * @param nodePortAddresses where node ports are answered; see {@link NodePortAddresses}
 * @param nodeAddresses by which the cluster knows the node
 * @param ownAddresses every address that the node has, those included
 * @param proxyName whose Services are taken by label {@code service-proxy-name}; empty for those
 *     without the label
 * @param masqueradeAll replace the client's address on cluster IPs too
 * @param externalIPs they are taken at all
 */
public record NodeView(
    String nodeName,
    @Nullable String zone,
    List<InetAddress> nodePortAddresses,
    Set<InetAddress> nodeAddresses,
    Set<InetAddress> ownAddresses,
    String proxyName,
    boolean masqueradeAll,
    boolean externalIPs) {

  public NodeView {
    nodePortAddresses = List.copyOf(nodePortAddresses);
    nodeAddresses = Set.copyOf(nodeAddresses);
    ownAddresses = Set.copyOf(ownAddresses);
  }

  /** With defaults for all that most nodes leave as it is. */
  public static NodeView of(String nodeName, List<InetAddress> nodePortAddresses) {
    return new NodeView(
        nodeName,
        null,
        nodePortAddresses,
        Set.copyOf(nodePortAddresses),
        Set.copyOf(nodePortAddresses),
        "",
        false,
        true);
  }

  public NodeView withZone(String newZone) {
    return new NodeView(
        nodeName,
        newZone,
        nodePortAddresses,
        nodeAddresses,
        ownAddresses,
        proxyName,
        masqueradeAll,
        externalIPs);
  }
}
