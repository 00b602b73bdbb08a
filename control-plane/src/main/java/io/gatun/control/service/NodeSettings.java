package io.gatun.control.service;

import io.gatun.control.document.Addresses;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.Node;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What the configuration says about this node. Immutable.
 *
 * @param nodeAddresses the first of each family is primary; for a family without one those of the
 *     Node object; the kernel's where there are neither
 * @param nodePortRules see {@link NodePortAddresses#choose}
 * @param externalIPs whether they are taken
 * @param proxyName whose Services are taken; empty for those without the label
 */
public record NodeSettings(
    String nodeName,
    List<InetAddress> nodeAddresses,
    List<String> nodePortRules,
    String proxyName,
    boolean masqueradeAll,
    boolean externalIPs) {

  /** The way of most nodes. */
  public NodeSettings(
      String nodeName,
      List<InetAddress> nodeAddresses,
      List<String> nodePortRules,
      String proxyName,
      boolean masqueradeAll) {
    this(nodeName, nodeAddresses, nodePortRules, proxyName, masqueradeAll, true);
  }

  /** How the node sees the cluster now, given every address that the kernel says it has. */
  public NodeView view(ClusterObjects objects, List<InetAddress> local) {
    Node node = objects.nodes().get(nodeName);
    List<InetAddress> primary = primary(objects, local);
    Set<InetAddress> known = new LinkedHashSet<>(nodeAddresses);
    known.addAll(primary);
    if (node != null) {
      known.addAll(node.internalIPs());
    }
    Set<InetAddress> all = new LinkedHashSet<>(known);
    all.addAll(local);
    all.removeIf(address -> address.isLoopbackAddress() || address.isAnyLocalAddress());
    return new NodeView(
        nodeName,
        node == null ? null : node.zone(),
        NodePortAddresses.choose(nodePortRules, primary, all),
        known,
        all,
        proxyName,
        masqueradeAll,
        externalIPs);
  }

  /** The node's primary address of each family that it has one of. */
  public List<InetAddress> primary(ClusterObjects objects, List<InetAddress> local) {
    Node node = objects.nodes().get(nodeName);
    List<InetAddress> candidates = new ArrayList<>(nodeAddresses);
    if (node != null) {
      candidates.addAll(node.internalIPs());
    }
    if (candidates.isEmpty()) {
      candidates.addAll(local);
    }
    List<InetAddress> primary = new ArrayList<>();
    first(candidates, address -> !Addresses.isIpv6(address), primary);
    first(candidates, Addresses::isIpv6, primary);
    return primary;
  }

  private static void first(
      List<InetAddress> from, Predicate<InetAddress> family, List<InetAddress> to) {
    from.stream()
        .filter(family)
        .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
        .findFirst()
        .ifPresent(to::add);
  }
}
