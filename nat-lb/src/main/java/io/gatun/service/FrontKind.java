package io.gatun.service;

/** The four kinds of address by which a Service is reached. Immutable. */
public enum FrontKind {
  CLUSTER_IP,
  NODE_PORT,
  EXTERNAL_IP,
  LOAD_BALANCER_IP
}
