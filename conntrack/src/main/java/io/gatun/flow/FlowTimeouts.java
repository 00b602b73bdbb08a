package io.gatun.flow;

import java.util.EnumMap;
import java.util.Map;

/** Time-outs of every {@link FlowState} in ticks, indexed by its ordinal. Immutable. */
@SuppressWarnings("EnumOrdinal") // looked up by the number that a flow carries
public final class FlowTimeouts {
  private final int[] ticks;

  private FlowTimeouts(int[] ticks) {
    this.ticks = ticks;
  }

  public static FlowTimeouts defaults() {
    return of(Map.of());
  }

  /** The defaults but for {@code seconds}. */
  public static FlowTimeouts of(Map<FlowState, Integer> seconds) {
    Map<FlowState, Integer> all = new EnumMap<>(FlowState.class);
    all.putAll(seconds);
    int[] ticks = new int[FlowState.values().length];
    for (FlowState state : FlowState.values()) {
      ticks[state.ordinal()] = Ticks.ofSeconds(all.getOrDefault(state, state.defaultSeconds()));
    }
    return new FlowTimeouts(ticks);
  }

  int ticks(int state) {
    return ticks[state];
  }
}
