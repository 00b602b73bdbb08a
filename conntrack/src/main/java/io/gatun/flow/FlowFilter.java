package io.gatun.flow;

/** Chooses flows, for {@link FlowTable#removeIf}. */
@FunctionalInterface
public interface FlowFilter {
  /** {@code flow} is valid during the call only. */
  boolean matches(FlowView flow);
}
