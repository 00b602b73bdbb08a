package io.gatun.perf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.gatun.ffm.memory.Memory;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** {@code gatun bench NAME}: finds the benchmark, runs it, prints what it found. */
public final class Bench {
  private static final Map<String, Function<NodeDataplane, Benchmark>> ALL =
      new TreeMap<>(
          Map.of(
              "lpm",
              _ -> new LpmBenchmark(),
              "service",
              _ -> new ServiceBenchmark(),
              "stream",
              StreamBenchmark::new,
              "veth",
              VethBenchmark::new));

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
    return figures.stream().anyMatch(figure -> "no".equals(figure.holds())) ? 1 : 0;
  }

  /** The whole report; its components are the members of the JSON object. */
  record Report(
      String bench,
      Map<String, Object> arguments,
      List<Figure> figures,
      Machine machine,
      String started,
      double seconds) {

    private static final ObjectMapper MAPPER =
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    String json() {
      try {
        return MAPPER.writeValueAsString(this) + "\n";
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("report does not become JSON: " + e.getMessage(), e);
      }
    }

    String text() {
      StringBuilder text = new StringBuilder(bench).append(' ').append(arguments).append('\n');
      for (Figure figure : figures) {
        double low = figure.runs().stream().mapToDouble(Double::doubleValue).min().orElse(0);
        double high = figure.runs().stream().mapToDouble(Double::doubleValue).max().orElse(0);
        text.append(
            String.format(
                Locale.ROOT,
                "  %-28s %10.2f %-14s (%.2f to %.2f, %d runs)",
                figure.what(),
                figure.value(),
                figure.unit(),
                low,
                high,
                figure.runs().size()));
        if (figure.peer() != null) {
          text.append(
              String.format(
                  Locale.ROOT,
                  "  %s %.2f, ratio %.2f",
                  figure.peer().name(),
                  figure.peer().value(),
                  figure.ratio()));
        }
        if (figure.holds() != null) {
          text.append("  floor ").append(figure.floor()).append(", goal ").append(figure.goal());
          text.append(", holds: ").append(figure.holds());
        }
        text.append('\n');
        if (figure.peer() != null) {
          text.append("    peer: ").append(figure.peer().command()).append('\n');
        }
      }
      return text.append(
              String.format(
                  Locale.ROOT,
                  "  %s, %d cores, Linux %s, JDK %s, steal %.1f %%, %.1f s%n",
                  machine.cpu(),
                  machine.cores(),
                  machine.kernel(),
                  machine.jdk(),
                  machine.stealPercent(),
                  seconds))
          .toString();
    }
  }
}
