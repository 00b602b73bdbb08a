package io.gatun.control.model;

/**
 * A NetworkPolicy, as far as it is known here: whom it is about. Nothing enforces it. Immutable.
 *
 * @param pods of its own namespace
 */
public record NetworkPolicy(ObjectName name, LabelSelector pods) implements KubernetesObject {
  @Override
  public String kind() {
    return "NetworkPolicy";
  }
}
