package io.gatun.perf;

/**
 * What the command line says about a benchmark. Immutable.
 *
 * @param peer whether to measure the peer too, where it is installed
 * @param runs how many times to measure; the median counts
 * @param seconds how long to measure in all, warm-up excluded
 * @param flows connections under way, for those that have any
 * @param json one JSON object instead of text
 */
public record BenchOptions(boolean peer, int runs, double seconds, int flows, boolean json) {
  private static final int RUNS = 7;
  private static final int FLOWS = 1000;

  public BenchOptions {
    if (runs < 1 || seconds <= 0 || flows < 1) {
      throw new IllegalArgumentException(
          "--runs %d --seconds %s --flows %d; each must be above 0"
              .formatted(runs, seconds, flows));
    }
  }

  /** Seven runs of a second each. */
  public static BenchOptions defaults() {
    return new BenchOptions(true, RUNS, RUNS, FLOWS, false);
  }

  /** {@code --quick}: enough to see that it works and roughly where it stands. */
  public BenchOptions quick() {
    return new BenchOptions(peer, 3, 0.6, flows, json);
  }

  public BenchOptions withPeer(boolean peer) {
    return new BenchOptions(peer, runs, seconds, flows, json);
  }

  public BenchOptions withRuns(int runs) {
    return new BenchOptions(peer, runs, seconds, flows, json);
  }

  public BenchOptions withSeconds(double seconds) {
    return new BenchOptions(peer, runs, seconds, flows, json);
  }

  public BenchOptions withFlows(int flows) {
    return new BenchOptions(peer, runs, seconds, flows, json);
  }

  public BenchOptions withJson(boolean json) {
    return new BenchOptions(peer, runs, seconds, flows, json);
  }

  long nanosPerRun() {
    return (long) (seconds / runs * 1e9);
  }
}
