package io.gatun.perf;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One measured figure. With a peer, floor and goal are bounds of the ratio; without one, of the
 * value itself, in its unit. Null where there is none.
 *
 * @param value median of {@code runs}
 * @param ratio how much better than the peer: above 1 is better, whatever the unit
 */
@JsonPropertyOrder({"what", "value", "unit", "runs", "peer", "ratio", "floor", "goal", "holds"})
record Figure(
    String what,
    double value,
    String unit,
    List<Double> runs,
    @Nullable Peer peer,
    @Nullable Double ratio,
    @Nullable Double floor,
    @Nullable Double goal) {

  /** The same, measured with somebody else's program in the same run. */
  record Peer(String name, double value, List<Double> runs, String command) {
    static Peer of(String name, double[] runs, String command) {
      return new Peer(name, rounded(median(runs)), listed(runs), command);
    }
  }

  /** A cost, of which less is better, on its own. */
  static Figure cost(
      String what, String unit, double[] runs, @Nullable Double floor, @Nullable Double goal) {
    return new Figure(what, median(runs), unit, listed(runs), null, null, floor, goal);
  }

  /** A rate, of which more is better; floor and goal are ratios to the peer. */
  static Figure rate(
      String what, String unit, double[] runs, @Nullable Peer peer, double floor, double goal) {
    double value = rounded(median(runs));
    return peer == null
        ? new Figure(what, value, unit, listed(runs), null, null, null, null)
        : new Figure(
            what, value, unit, listed(runs), peer, rounded(value / peer.value()), floor, goal);
  }

  /** {@code goal}, {@code floor}, {@code no}, or null when no bound is set. */
  @JsonProperty
  @Nullable String holds() {
    if (floor == null && goal == null) {
      return null;
    }
    if (goal != null && within(goal)) {
      return "goal";
    }
    if (floor == null) {
      return null;
    }
    return within(floor) ? "floor" : "no";
  }

  /** A cost beside the peer's; floor and goal are ratios, both null where none was set. */
  static Figure cost(
      String what,
      String unit,
      double[] runs,
      @Nullable Peer peer,
      @Nullable Double floor,
      @Nullable Double goal) {
    double value = rounded(median(runs));
    return peer == null
        ? new Figure(what, value, unit, listed(runs), null, null, null, null)
        : new Figure(
            what, value, unit, listed(runs), peer, rounded(peer.value() / value), floor, goal);
  }

  /**
   * A value with the peer's beside it, and a bound of its own: ratios of small counts say nothing.
   */
  static Figure beside(
      String what, String unit, double[] runs, @Nullable Peer peer, @Nullable Double floor) {
    return new Figure(what, rounded(median(runs)), unit, listed(runs), peer, null, floor, null);
  }

  private boolean within(double bound) {
    return ratio != null ? ratio >= bound : value <= bound;
  }

  /**
   * The value at which a bound is reached; a bound of a ratio is one of the value too, the peer
   * being as fast as it was.
   */
  double valueAt(double bound) {
    if (peer == null || ratio == null) {
      return bound;
    }
    boolean moreIsBetter = (value > peer.value()) == (ratio > 1);
    return moreIsBetter ? peer.value() * bound : peer.value() / bound;
  }

  static double median(double[] runs) {
    double[] sorted = runs.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  static List<Double> listed(double[] runs) {
    return Arrays.stream(runs).map(Figure::rounded).boxed().toList();
  }

  private static double rounded(double figure) {
    return Math.round(figure * 1000) / 1000.0;
  }
}
