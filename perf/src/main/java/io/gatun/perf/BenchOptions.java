package io.gatun.perf;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the command line says about a benchmark. Immutable.
 *
 * @param peer whether to measure the peer too, where it is installed
 * @param runs how many times to measure; the median counts
 * @param seconds how long to measure in all, warm-up excluded; null: what the benchmark is used to
 * @param quick enough to see that it works and roughly where it stands
 * @param flows connections under way, for those that have any
 * @param streams TCP streams at once, for those that have any
 * @param driver of the pods' ports, for those that have any: {@code xdp} or {@code packet}
 * @param service through a Service, for those that can do without
 * @param tables which routes, for those that look any up
 * @param json one JSON object instead of text
 * @param report where to write a page to look at; null: nowhere
 */
public record BenchOptions(
    boolean peer,
    int runs,
    @Nullable Double seconds,
    boolean quick,
    int flows,
    int streams,
    String driver,
    boolean service,
    Tables tables,
    boolean json,
    @Nullable Path report) {
  public static final int RUNS = 7;
  public static final int QUICK_RUNS = 3;
  public static final int FLOWS = 1000;
  public static final String DRIVER = "xdp";

  private static final double QUICK_SECONDS = 0.2;

  public BenchOptions {
    if (runs < 1 || flows < 1 || streams < 1 || (seconds != null && seconds <= 0)) {
      throw new IllegalArgumentException(
          "--runs %d --seconds %s --flows %d --streams %d; each must be above 0"
              .formatted(runs, seconds == null ? "(default)" : seconds, flows, streams));
    }
    if (!driver.equals("xdp") && !driver.equals("packet")) {
      throw new IllegalArgumentException("--driver " + driver + "; expected xdp or packet");
    }
  }

  /** How long one run takes. */
  double secondsPerRun(double usual) {
    if (seconds != null) {
      return seconds / runs;
    }
    return quick ? Math.min(QUICK_SECONDS, usual) : usual;
  }

  /** One run of a benchmark that usually takes a second for it. */
  long nanosPerRun() {
    return (long) (secondsPerRun(1) * 1e9);
  }

  /**
   * Routes to look up.
   *
   * @param routes {@code PREFIX NEXTHOP} a line, plain or .xz; null: {@code count} random ones
   * @param addresses one a line; null: random ones
   * @param updates adding and deleting routes, too
   */
  public record Tables(
      @Nullable Path routes, @Nullable Path addresses, boolean ipv6, int count, boolean updates) {
    public static final int COUNT = 1_000_000;

    /** For the benchmarks that look none up. */
    public static final Tables NONE = new Tables(null, null, false, COUNT, false);

    public Tables {
      if (count < 1) {
        throw new IllegalArgumentException("--prefixes " + count + "; must be above 0");
      }
    }
  }
}
