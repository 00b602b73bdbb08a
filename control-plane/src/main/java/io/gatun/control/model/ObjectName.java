package io.gatun.control.model;

import java.util.Comparator;

/**
 * An object's name within its kind. Immutable.
 *
 * @param namespace empty for kinds without one
 */
public record ObjectName(String namespace, String name) implements Comparable<ObjectName> {
  private static final Comparator<ObjectName> ORDER =
      Comparator.comparing(ObjectName::namespace).thenComparing(ObjectName::name);

  @Override
  public int compareTo(ObjectName other) {
    return ORDER.compare(this, other);
  }

  /** "namespace/name", as kubectl and kube-proxy write it. */
  @Override
  public String toString() {
    return namespace.isEmpty() ? name : namespace + "/" + name;
  }
}
