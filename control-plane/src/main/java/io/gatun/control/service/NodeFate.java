package io.gatun.control.service;

import io.gatun.control.ObjectFollower;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.Node;

/** Whether load balancers may send new connections here. Written by the control thread. */
public final class NodeFate implements ObjectFollower {
  private volatile boolean leaving;

  @Override
  public void surroundings(ClusterObjects objects, NodeView node) {
    Node ours = objects.nodes().get(node.nodeName());
    leaving = ours != null && ours.leaving();
  }

  /** The Node is being deleted, or about to be. From any thread. */
  public boolean leaving() {
    return leaving;
  }
}
