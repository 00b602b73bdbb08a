package io.gatun.perf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Nanoseconds that a worker takes for a packet of established Service traffic: its whole cycle,
 * from a memory port that copies the frame into a chunk, through all stages, to the memory port of
 * a pod. What of it the ports cost is measured with a worker that has no stages.
 *
 * <p>A run is the median of its {@link Rounds}.
 */
final class ServiceBenchmark implements Benchmark {
  private static final int PACKETS_PER_ROUND = 16_384;

  /** Long enough for the optimising compiler to have seen every loop. */
  private static final long WARM_UP_NANOS = 3_000_000_000L;

  /** docs/performance.md: nanoseconds a packet, up to a thousand flows and beyond. */
  private static final double FLOOR_NANOS = 80;

  private static final double GOAL_NANOS = 40;
  private static final double GOAL_NANOS_MANY = 80;
  private static final int FEW_FLOWS = 1000;

  /** Share of the time for the figures that explain the first. */
  private static final int SPLIT = 4;

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("flows", options.flows());
    arguments.put("frameSize", ServiceTraffic.FRAME);
    return arguments;
  }

  @Override
  public List<Figure> measure(BenchOptions options) {
    try (ServiceTraffic traffic = new ServiceTraffic(options.flows());
        ServicePath path = new ServicePath(traffic)) {
      path.verify();
      Rounds rounds = new Rounds(PACKETS_PER_ROUND);
      rounds.run(path::cycle, WARM_UP_NANOS);
      double[] established = new double[options.runs()];
      long allocated = Long.MAX_VALUE;
      for (int run = 0; run < options.runs(); run++) {
        established[run] = rounds.run(path::cycle, options.nanosPerRun());
        // What a packet allocates each run does; what the JVM does to compile not every one.
        allocated = Math.min(allocated, rounds.allocated());
      }
      path.requireAllSent();
      if (allocated != 0) {
        throw new IllegalStateException(
            "%d bytes were allocated in a run; the packet path must not allocate"
                .formatted(allocated));
      }
      boolean few = options.flows() <= FEW_FLOWS;
      List<Figure> figures = new ArrayList<>();
      figures.add(
          Figure.cost(
              "established",
              "ns/packet",
              established,
              few ? FLOOR_NANOS : null,
              few ? GOAL_NANOS : GOAL_NANOS_MANY));
      figures.addAll(split(path, rounds, options));
      figures.add(Figure.cost("allocated", "bytes", new double[] {allocated}, 0.0, 0.0));
      path.verify();
      return figures;
    }
  }

  /** What the ports cost, and each stage. */
  private static List<Figure> split(ServicePath path, Rounds rounds, BenchOptions options) {
    int stages = ServicePath.STAGES.size();
    double[] ports = new double[options.runs()];
    double[][] nanos = new double[stages][options.runs()];
    rounds.run(path::bareCycle, options.nanosPerRun());
    rounds.run(() -> path.byStage(new long[stages]), options.nanosPerRun());
    for (int run = 0; run < options.runs(); run++) {
      ports[run] = rounds.run(path::bareCycle, options.nanosPerRun() / SPLIT);
      long[] spent = new long[stages];
      long packets = 0;
      long start = System.nanoTime();
      while (System.nanoTime() - start < options.nanosPerRun() / SPLIT) {
        packets += path.byStage(spent);
      }
      for (int k = 0; k < stages; k++) {
        nanos[k][run] = (double) spent[k] / packets;
      }
    }
    List<Figure> figures = new ArrayList<>();
    figures.add(Figure.cost("of which ports", "ns/packet", ports, null, null));
    for (int k = 0; k < stages; k++) {
      String name = "of which " + ServicePath.STAGES.get(k);
      figures.add(Figure.cost(name, "ns/packet", nanos[k], null, null));
    }
    return figures;
  }
}
