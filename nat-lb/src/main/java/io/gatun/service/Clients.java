package io.gatun.service;

import io.gatun.service.ClientRules.Detect;
import io.gatun.service.ClientRules.Leads;
import org.jspecify.annotations.Nullable;

/** {@link ClientRules} as the data path asks them. Immutable; allocates nothing when asked. */
final class Clients {
  /** Kinds of sender. */
  static final int OUTSIDE = 0;

  static final int POD = 1;
  static final int NODE = 2;

  static final Clients UNKNOWN = new Clients(ClientRules.NONE);

  private final @Nullable Leads[] leads;
  private final boolean[] localPort;
  private final Prefixes nodePods;
  private final Detect detect;
  private final Prefixes clusterCidrs;
  private final Prefixes podNetworks;
  private final boolean egress4;
  private final boolean egress6;

  Clients(ClientRules rules) {
    int ports = 0;
    for (int port : rules.ports().keySet()) {
      ports = Math.max(ports, port + 1);
    }
    for (int port : rules.localPorts()) {
      ports = Math.max(ports, port + 1);
    }
    leads = new @Nullable Leads[ports];
    rules.ports().forEach((port, where) -> leads[port] = where);
    localPort = new boolean[ports];
    rules.localPorts().forEach(port -> localPort[port] = true);
    nodePods = Prefixes.of(rules.nodePods());
    detect = rules.detect();
    clusterCidrs = Prefixes.of(rules.clusterCidrs());
    podNetworks = Prefixes.of(rules.podNetworks());
    egress4 = rules.egress().ipv4();
    egress6 = rules.egress().ipv6();
  }

  /**
   * Who sent a packet that came by {@code port}.
   *
   * @param own the source is one of the node's own addresses
   */
  int kind(int port, boolean own, boolean ipv6, long high, long low) {
    Leads where = port >= 0 && port < leads.length ? leads[port] : null;
    if (where == Leads.TO_PODS) {
      return POD;
    }
    if (own || where == Leads.TO_THE_HOST) {
      return NODE;
    }
    if (where == Leads.TO_THE_NETWORK) {
      return OUTSIDE;
    }
    if (nodePods.contain(ipv6, high, low)) {
      return POD;
    }
    boolean told = nodePods.has(ipv6) || detect == Detect.NOT;
    return !told && local(port, ipv6, high, low) ? POD : OUTSIDE;
  }

  /** Whether what comes by {@code port} was sent by pods or other machines, never by this node. */
  boolean others(int port) {
    Leads where = port >= 0 && port < leads.length ? leads[port] : null;
    return where == Leads.TO_PODS || where == Leads.TO_THE_NETWORK;
  }

  /** kube-proxy takes the client for local to the cluster, or does not ask. */
  boolean local(int port, boolean ipv6, long high, long low) {
    return switch (detect) {
      case NOT -> true;
      case PREFIX -> !clusterCidrs.has(ipv6) || clusterCidrs.contain(ipv6, high, low);
      case PORT ->
          port >= 0 && port < localPort.length
              ? localPort[port]
              : nodePods.contain(ipv6, high, low); // nobody knows by which one it came
    };
  }

  /** The port leads to the network, but the source is a pod of this node. */
  boolean contradicts(int port, boolean ipv6, long high, long low) {
    return port >= 0
        && port < leads.length
        && leads[port] == Leads.TO_THE_NETWORK
        && nodePods.contain(ipv6, high, low);
  }

  boolean egress(boolean ipv6) {
    return ipv6 ? egress6 : egress4;
  }

  /** A pod of the cluster, on whichever node. */
  boolean pod(boolean ipv6, long high, long low) {
    return podNetworks.contain(ipv6, high, low);
  }
}
