package io.gatun.control;

import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.ObjectName;
import io.gatun.control.service.NodeView;
import java.util.Collection;

/** What else depends on the objects than the tables. On the control thread; never waits. */
public interface ObjectFollower {
  /** These Services or their endpoints are different, or gone. */
  default void services(ClusterObjects objects, Collection<ObjectName> names, NodeView node) {}

  /** Something else is: Nodes, Pods, policies. */
  default void surroundings(ClusterObjects objects, NodeView node) {}
}
