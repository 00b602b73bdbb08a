package io.gatun.service;

/** The kinds of address by which endpoints are reached; of two that claim one, the first wins. */
public enum FrontKind {
  CLUSTER_IP("clusterIP"),
  NODE_PORT("nodePort"),
  /** Before external IPs: its source ranges must not be passed by naming the address there too. */
  LOAD_BALANCER_IP("loadBalancerIP"),
  EXTERNAL_IP("externalIP"),
  HOST_PORT("hostPort");

  private final String label;

  FrontKind(String label) {
    this.label = label;
  }

  /** The word in reports and in {@code explain}. */
  public String label() {
    return label;
  }

  /** Reached from outside the cluster, by the rules of {@code externalTrafficPolicy}. */
  public boolean external() {
    return this == NODE_PORT || this == EXTERNAL_IP || this == LOAD_BALANCER_IP;
  }
}
