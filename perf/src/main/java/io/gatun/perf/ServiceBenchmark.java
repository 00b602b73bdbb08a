package io.gatun.perf;

import io.gatun.lab.Lab;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
  private static final int PACKETS_PER_ROUND = 1024;

  /** Long enough for the optimising compiler to have seen every loop. */
  private static final long WARM_UP_NANOS = 3_000_000_000L;

  /** Floor and goal in nanoseconds a packet, up to a thousand flows and beyond. */
  private static final double FLOOR_NANOS = 80;

  private static final double GOAL_NANOS = 40;
  private static final double GOAL_NANOS_MANY = 80;
  private static final int FEW_FLOWS = 1000;

  /** Ratios to Open vSwitch. */
  private static final double FLOOR_OVS = 3;

  private static final double FLOOR_OVS_MANY = 5;

  private static final int VECTORS = 8192;

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
  public List<Figure> measure(BenchOptions options) throws IOException {
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
      if (options.peer() && hasPeer(options)) {
        figures.add(besideOvs(path, rounds, options, few ? FLOOR_OVS : FLOOR_OVS_MANY));
      }
      figures.addAll(split(path, rounds, options));
      figures.add(Figure.cost("allocated", "bytes", new double[] {allocated}, 0.0, 0.0));
      path.verify();
      return figures;
    }
  }

  private static boolean hasPeer(BenchOptions options) {
    if (options.flows() > OvsNat.MOST_FLOWS) {
      System.err.printf("bench: no more than %d flows of %s%n", OvsNat.MOST_FLOWS, OvsNat.NAME);
      return false;
    }
    return Program.isPeerInstalled(OvsNat.NAME, OvsNat.PROGRAM.toString());
  }

  /** The whole cycle, ports included, beside what the translation alone costs Open vSwitch. */
  private static Figure besideOvs(
      ServicePath path, Rounds rounds, BenchOptions options, double floor) throws IOException {
    Path directory = Lab.runDirectory().resolve("bench-ovs-" + ProcessHandle.current().pid());
    OvsNat ovs = new OvsNat(directory, options.flows(), options.nanosPerRun() / 1e9);
    try (Cleanup _ = new Cleanup(ovs, "rm -r " + directory)) {
      Alternation.Side ours = new Established(path, rounds, options.nanosPerRun());
      Alternation.Runs runs = Alternation.of(options.runs(), ours, ovs);
      Figure.Peer peer = Figure.Peer.of(OvsNat.NAME, runs.peer(0), OvsNat.COMMAND);
      return Figure.cost("established, beside it", "ns/packet", runs.ours(0), peer, floor, null);
    }
  }

  /** What is measured before, once more, in turns with the peer. */
  private record Established(ServicePath path, Rounds rounds, long nanos)
      implements Alternation.Side {
    @Override
    public void enter() {}

    @Override
    public double[] measure() {
      return new double[] {rounds.run(path::cycle, nanos)};
    }

    @Override
    public void leave() {}
  }

  /** What the ports cost, and each stage. */
  private static List<Figure> split(ServicePath path, Rounds rounds, BenchOptions options) {
    List<String> names = path.names();
    int stages = names.size();
    double[] ports = new double[options.runs()];
    double[][] nanos = new double[stages][options.runs()];
    rounds.run(path::bareCycle, options.nanosPerRun());
    rounds.run(() -> path.byStage(new long[stages]), options.nanosPerRun());
    for (int run = 0; run < options.runs(); run++) {
      ports[run] = rounds.run(path::bareCycle, options.nanosPerRun() / SPLIT);
      stageMedians(path, options.nanosPerRun() / SPLIT, nanos, run);
    }
    List<Figure> figures = new ArrayList<>();
    figures.add(Figure.cost("of which ports", "ns/packet", ports, null, null));
    for (int k = 0; k < stages; k++) {
      String name = "of which " + names.get(k);
      figures.add(Figure.cost(name, "ns/packet", nanos[k], null, null));
    }
    return figures;
  }

  /** Medians over vectors, as a round that lost the core does not count here either. */
  private static void stageMedians(ServicePath path, long nanos, double[][] into, int run) {
    int stages = into.length;
    double[][] samples = new double[stages][VECTORS];
    long[] spent = new long[stages];
    int vectors = 0;
    for (long start = System.nanoTime();
        vectors < VECTORS && (vectors == 0 || System.nanoTime() - start < nanos);
        vectors++) {
      Arrays.fill(spent, 0);
      int packets = path.byStage(spent);
      for (int k = 0; k < stages; k++) {
        samples[k][vectors] = (double) spent[k] / packets;
      }
    }
    for (int k = 0; k < stages; k++) {
      into[k][run] = Figure.median(Arrays.copyOf(samples[k], vectors));
    }
  }
}
