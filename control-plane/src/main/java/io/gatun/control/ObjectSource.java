package io.gatun.control;

import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.ObjectChanges;
import org.jspecify.annotations.Nullable;

/** Where Kubernetes objects come from: files, or an API server. Stepped by the control thread. */
public interface ObjectSource {
  /** Takes what is new, never waits; true when {@link #objects} changed. */
  boolean poll(long nowNanos);

  /** The cluster as last told. */
  ClusterObjects objects();

  /** What the last {@link #poll} that returned true changed; valid until the next one. */
  ObjectChanges changes();

  /** Why what is told now was refused; null when it was not. */
  @Nullable String refusal();

  /** It wants to be polled again within some 20 ms. */
  default boolean isSettling() {
    return false;
  }

  /** Everything that was changed so far is in the tables; tells who measures how long that took. */
  default void applied() {}
}
