package io.gatun.control.service;

import io.gatun.control.ObjectFollower;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.NetworkPolicy;
import io.gatun.control.model.Pod;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * NetworkPolicies that are about pods of this node, and that nothing here enforces: said once for
 * each namespace, and counted. Written by the control thread.
 */
public final class UnenforcedPolicies implements ObjectFollower {
  private static final Logger LOG = LoggerFactory.getLogger(UnenforcedPolicies.class);

  private final TreeSet<String> warned = new TreeSet<>();
  private volatile int count;

  @Override
  public void surroundings(ClusterObjects objects, NodeView node) {
    Map<String, String> found = new TreeMap<>();
    int selecting = 0;
    for (NetworkPolicy policy : objects.networkPolicies()) {
      for (Pod pod : objects.pods().values()) {
        if (pod.name().namespace().equals(policy.name().namespace())
            && node.nodeName().equals(pod.nodeName())
            && !pod.hostNetwork()
            && !pod.ended()
            && policy.pods().matches(pod.labels())) {
          selecting++;
          found.putIfAbsent(policy.name().namespace(), policy.name() + " selects " + pod.name());
          break;
        }
      }
    }
    count = selecting;
    found.forEach((namespace, example) -> {
      if (warned.add(namespace)) {
        LOG.warn(
            "namespace {}: NetworkPolicies are not enforced for pods of this node ({})",
            namespace,
            example);
      }
    });
  }

  /** How many policies there are. From any thread. */
  public int count() {
    return count;
  }
}
