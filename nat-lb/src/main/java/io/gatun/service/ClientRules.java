package io.gatun.service;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * By what a packet's sender is told: this node, one of its pods, or somebody else. Immutable.
 *
 * @param ports what each port leads to, by number; the others are unknown
 * @param nodePods this node's pods, in CIDR notation: for packets of an unknown port
 * @param detect by what kube-proxy's {@code detectLocalMode} tells a client that is local to the
 *     cluster
 * @param clusterCidrs for {@link Detect#PREFIX}: who is; a family without one takes all for local
 * @param localPorts for {@link Detect#PORT}: numbers of the ports whose senders are
 * @param podNetworks all pods of the cluster, in CIDR notation
 * @param egress the families in which pods are masqueraded towards the outside of {@code
 *     podNetworks}
 */
public record ClientRules(
    Map<Integer, Leads> ports,
    Collection<String> nodePods,
    Detect detect,
    Collection<String> clusterCidrs,
    Collection<Integer> localPorts,
    Collection<String> podNetworks,
    Egress egress) {

  /** Nothing is known: everybody is somebody else, and nobody is a stranger to the cluster. */
  public static final ClientRules NONE =
      new ClientRules(
          Map.of(), List.of(), Detect.NOT, List.of(), List.of(), List.of(), Egress.NONE);

  /** What a port leads to. */
  public enum Leads {
    TO_PODS,
    TO_THE_NETWORK,
    TO_THE_HOST,
    /** Senders are told apart by their address alone. */
    ANYWHERE
  }

  /** Families in which pods reach the outside by the node's address. */
  public record Egress(boolean ipv4, boolean ipv6) {
    public static final Egress NONE = new Egress(false, false);
    public static final Egress BOTH = new Egress(true, true);
  }

  /** How clients local to the cluster are told. */
  public enum Detect {
    NOT,
    PREFIX,
    PORT
  }

  public ClientRules {
    ports = Map.copyOf(ports);
    nodePods = List.copyOf(nodePods);
    clusterCidrs = List.copyOf(clusterCidrs);
    localPorts = List.copyOf(localPorts);
    podNetworks = List.copyOf(podNetworks);
  }
}
