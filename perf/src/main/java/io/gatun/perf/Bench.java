package io.gatun.perf;

import io.gatun.ffm.memory.Memory;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** {@code gatun bench NAME}: finds the benchmark, runs it, prints what it found. */
public final class Bench {
  private static final Map<String, Function<NodeDataplane, Benchmark>> ALL =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("churn", ChurnBenchmark::new),
              Map.entry("conntrack", _ -> new ConntrackBenchmark()),
              Map.entry("first-packet", FirstPacketBenchmark::new),
              Map.entry("idle", IdleBenchmark::new),
              Map.entry("lpm", _ -> new LpmBenchmark()),
              Map.entry("reconfigure", _ -> new ReconfigureBenchmark()),
              Map.entry("rr", RequestResponseBenchmark::new),
              Map.entry("service", _ -> new ServiceBenchmark()),
              Map.entry("stall", _ -> new StallBenchmark()),
              Map.entry("startup", StartupBenchmark::new),
              Map.entry("stream", StreamBenchmark::new),
              Map.entry("veth", VethBenchmark::new),
              Map.entry("vxlan", VxlanBenchmark::new)));

  private Bench() {}

  /** What can be given as {@code name}. */
  public static Collection<String> names() {
    return List.copyOf(ALL.keySet());
  }

  /**
   * Runs benchmark {@code name} and prints its report to {@code out}. Returns the exit code: 0
   * done, 1 a floor does not hold or the work was not done, 2 no such benchmark or a JVM that must
   * not be measured.
   *
   * @param gatun how to start the daemon, for what is measured with a whole one
   */
  public static int run(String name, BenchOptions options, NodeDataplane gatun, PrintStream out) {
    Function<NodeDataplane, Benchmark> known = ALL.get(name);
    if (known == null) {
      System.err.printf("bench: no benchmark \"%s\"; there are: %s%n", name, names());
      return 2;
    }
    Benchmark benchmark = known.apply(gatun);
    if (Memory.CHECKS && benchmark.isOfThisProcess(options)) {
      System.err.println("bench: memory checks are on; run without -Dgatun.memory.checks");
      return 2;
    }
    Machine.Time start = Machine.Time.now();
    Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    long began = System.nanoTime();
    List<Figure> figures;
    try {
      figures = benchmark.measure(options);
    } catch (IOException | IllegalStateException e) {
      System.err.printf("bench %s: %s%n", name, e.getMessage());
      return 1;
    }
    double seconds = Math.round((System.nanoTime() - began) / 1e8) / 10.0;
    Report report =
        new Report(
            name,
            benchmark.arguments(options),
            figures,
            Machine.since(start),
            started.toString(),
            seconds);
    out.print(options.json() ? report.json() : report.text());
    if (options.report() != null) {
      try {
        Files.writeString(options.report(), HtmlPage.of(report));
      } catch (IOException e) {
        System.err.printf(
            "bench %s: cannot write %s: %s%n", name, options.report(), e.getMessage());
        return 1;
      }
    }
    return figures.stream().anyMatch(figure -> "no".equals(figure.holds())) ? 1 : 0;
  }
}
