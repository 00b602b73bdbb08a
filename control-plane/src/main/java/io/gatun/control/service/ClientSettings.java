package io.gatun.control.service;

import io.gatun.control.document.Prefix;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.Node;
import io.gatun.control.model.Pod;
import io.gatun.service.ClientRules;
import io.gatun.service.ClientRules.Egress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the configuration says about telling clients apart. Immutable.
 *
 * @param detect kube-proxy's {@code detectLocalMode}
 * @param interfaceName for INTERFACE: a bridge's name, or a prefix of names
 * @param namePrefix it is a prefix
 * @param clusterCidrs for CLUSTER_CIDR
 * @param podNetworks where the cluster's pods live; empty: {@code clusterCidrs}, else the Nodes'
 * @param egress the families in which pods are masqueraded towards the outside of the pod networks
 */
public record ClientSettings(
    Detect detect,
    String interfaceName,
    boolean namePrefix,
    List<Prefix> clusterCidrs,
    List<Prefix> podNetworks,
    Egress egress) {

  /** Everybody is taken for local to the cluster, and no pod is masqueraded. */
  public static final ClientSettings NONE =
      new ClientSettings(Detect.NOT, "", false, List.of(), List.of(), Egress.NONE);

  /** How. */
  public enum Detect {
    NOT,
    CLUSTER_CIDR,
    NODE_CIDR,
    INTERFACE
  }

  /**
   * A port of the data path, as senders are told apart by it.
   *
   * @param bridge the bridge that it is a port of, empty for none
   */
  public record ClientPort(int number, String name, ClientRules.Leads leads, String bridge) {
    public ClientPort(int number, String name, ClientRules.Leads leads) {
      this(number, name, leads, "");
    }
  }

  /** The same, with pods masqueraded in other families. */
  public ClientSettings with(Egress now) {
    return new ClientSettings(detect, interfaceName, namePrefix, clusterCidrs, podNetworks, now);
  }

  /** The rules of the node called {@code nodeName}, with these ports. */
  public ClientRules rules(ClusterObjects objects, String nodeName, List<ClientPort> ports) {
    Map<Integer, ClientRules.Leads> leads = new HashMap<>();
    List<Integer> localPorts = new ArrayList<>();
    for (ClientPort port : ports) {
      leads.put(port.number(), port.leads());
      // What the kernel would see as coming from the bridge comes to us by one of its ports.
      if (namePrefix
          ? port.name().startsWith(interfaceName)
          : port.name().equals(interfaceName) || port.bridge().equals(interfaceName)) {
        localPorts.add(port.number());
      }
    }
    return new ClientRules(
        leads,
        nodePods(objects, nodeName),
        switch (detect) {
          case NOT -> ClientRules.Detect.NOT;
          case CLUSTER_CIDR, NODE_CIDR -> ClientRules.Detect.PREFIX;
          case INTERFACE -> ClientRules.Detect.PORT;
        },
        texts(detect == Detect.NODE_CIDR ? podCidrs(objects.nodes().get(nodeName)) : cluster()),
        detect == Detect.INTERFACE ? localPorts : List.of(),
        texts(podNetworks(objects)),
        egress);
  }

  private List<Prefix> cluster() {
    return clusterCidrs.isEmpty() ? podNetworks : clusterCidrs;
  }

  /** This node's pods: the prefix that it has for them, and those that are known. */
  private static List<String> nodePods(ClusterObjects objects, String nodeName) {
    List<String> pods = new ArrayList<>(texts(podCidrs(objects.nodes().get(nodeName))));
    for (Pod pod : objects.pods().values()) {
      if (nodeName.equals(pod.nodeName()) && !pod.hostNetwork() && !pod.ended()) {
        pod.addresses().forEach(address -> pods.add(Prefix.of(address).toString()));
      }
    }
    return pods;
  }

  private static List<Prefix> podCidrs(@Nullable Node node) {
    return node == null ? List.of() : node.podCidrs();
  }

  private List<Prefix> podNetworks(ClusterObjects objects) {
    if (!podNetworks.isEmpty()) {
      return podNetworks;
    }
    if (!clusterCidrs.isEmpty()) {
      return clusterCidrs;
    }
    return objects.nodes().values().stream().flatMap(node -> node.podCidrs().stream()).toList();
  }

  private static List<String> texts(List<Prefix> prefixes) {
    return prefixes.stream().map(Prefix::toString).toList();
  }
}
