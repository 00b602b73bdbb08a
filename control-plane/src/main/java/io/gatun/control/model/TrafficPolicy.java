package io.gatun.control.model;

/** Which endpoints traffic may go to: all of the cluster's, or this node's only. */
public enum TrafficPolicy {
  CLUSTER,
  LOCAL
}
