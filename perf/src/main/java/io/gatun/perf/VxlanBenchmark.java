package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * VXLAN: what encapsulation and decapsulation add to a packet that is forwarded anyway, in memory;
 * or, with {@code --service}, on a wire: frames of pods through a node into a tunnel, by the whole
 * daemon and by the kernel's own device, and a TCP stream between pods of two nodes.
 */
final class VxlanBenchmark implements Benchmark {
  private static final int[] SIZES = {64, 1450};
  private static final int[] TUNNELS = {1, 1000};
  private static final int PACKETS_PER_ROUND = 1024;
  private static final long WARM_UP_NANOS = 1_500_000_000L;
  private static final long QUICK_WARM_UP_NANOS = 300_000_000L;

  // Floor and goal: nanoseconds on top of forwarding.
  private static final double ENCAP_FLOOR = 40;
  private static final double ENCAP_GOAL = 20;
  private static final double DECAP_FLOOR = 30;
  private static final double DECAP_GOAL = 15;

  /** Ratios to the kernel's device. */
  private static final double FLOOR = 1;

  private static final double GOAL = 3;
  private static final double STREAM_FLOOR = 0.12;
  private static final double STREAM_GOAL = 1;

  private final NodeDataplane dataplane;

  VxlanBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  @Override
  public boolean isOfThisProcess(BenchOptions options) {
    return !options.service();
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("wire", options.service());
    arguments.put("frameSizes", List.of(64, 1450));
    arguments.put("tunnels", List.of(1, options.service() ? VethOverlay.NODES : 1000));
    arguments.put("driver", options.driver());
    return arguments;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    return options.service() ? onTheWire(options) : inMemory(options);
  }

  private static List<Figure> inMemory(BenchOptions options) {
    List<Figure> figures = new ArrayList<>();
    for (int size : SIZES) {
      for (int tunnels : TUNNELS) {
        String what = ", %d bytes, %d tunnel%s".formatted(size, tunnels, tunnels == 1 ? "" : "s");
        double[][] nanos = measured(options, size, tunnels);
        double[] forward = nanos[0];
        figures.add(Figure.cost("forward" + what, "ns/packet", forward, null, null));
        figures.add(
            Figure.cost(
                "encapsulation on top" + what,
                "ns/packet",
                onTop(nanos[1], forward),
                ENCAP_FLOOR,
                ENCAP_GOAL));
        figures.add(
            Figure.cost(
                "decapsulation on top" + what,
                "ns/packet",
                onTop(nanos[2], forward),
                DECAP_FLOOR,
                DECAP_GOAL));
      }
    }
    return figures;
  }

  /** The three ways in turns, so that a machine that drifts drifts for all. */
  private static double[][] measured(BenchOptions options, int size, int tunnels) {
    OverlayPath.Way[] ways = OverlayPath.Way.values();
    double[][] nanos = new double[ways.length][options.runs()];
    Rounds rounds = new Rounds(PACKETS_PER_ROUND);
    List<OverlayPath> paths = new ArrayList<>();
    try {
      for (OverlayPath.Way way : ways) {
        OverlayPath path = new OverlayPath(way, size, tunnels, false);
        paths.add(path);
        rounds.run(path::cycle, options.quick() ? QUICK_WARM_UP_NANOS : WARM_UP_NANOS);
      }
      for (int run = 0; run < options.runs(); run++) {
        for (int way = 0; way < ways.length; way++) {
          nanos[way][run] = rounds.run(paths.get(way)::cycle, options.nanosPerRun() / ways.length);
        }
      }
      paths.forEach(OverlayPath::requireAllSent);
    } finally {
      paths.forEach(OverlayPath::close);
    }
    return nanos;
  }

  private static double[] onTop(double[] whole, double[] forward) {
    double[] difference = new double[whole.length];
    for (int run = 0; run < whole.length; run++) {
      difference[run] = whole[run] - forward[run];
    }
    return difference;
  }

  private List<Figure> onTheWire(BenchOptions options) throws IOException {
    List<Figure> figures = new ArrayList<>();
    String name = "bench-vxlan-" + ProcessHandle.current().pid();
    try (CpuMeter meter = CpuMeter.open()) {
      VethPath path = VethPath.up(name, meter);
      try (Cleanup _ = new Cleanup(path::close, "gatun lab down --name " + name)) {
        VethOverlay.prepare(path.node());
        VethSide ours = VethOverlay.daemon(path, options, dataplane);
        Alternation.Runs runs =
            options.peer()
                ? Alternation.of(options.runs(), ours, VethOverlay.kernel(path, options))
                : Alternation.alone(options.runs(), ours);
        for (int k = 0; k < VethOverlay.KINDS.size(); k++) {
          String of = ", " + VethOverlay.KINDS.get(k);
          int rate = 2 * k;
          int cpu = rate + 1;
          figures.add(
              Figure.rate(
                  "encapsulation" + of, "Mpps", runs.ours(rate), peer(runs, rate), FLOOR, GOAL));
          figures.add(
              Figure.cost(
                  "cpu, all cores" + of, "ns/packet", runs.ours(cpu), peer(runs, cpu), null, null));
        }
      }
      PodPath stream =
          new PodPath("bench-vxlan-stream", new IperfStreams(1), PodPath.Place.OVERLAY, options);
      Alternation.Runs runs = stream.measure(dataplane, meter);
      figures.add(
          Figure.rate("stream", "Gbit/s", runs.ours(0), peer(runs, 0), STREAM_FLOOR, STREAM_GOAL));
      figures.add(Figure.cost("cpu, all cores", "s/Gbit", runs.ours(1), peer(runs, 1), null, null));
    }
    return figures;
  }

  private static Figure.@Nullable Peer peer(Alternation.Runs runs, int which) {
    return runs.hasPeer()
        ? Figure.Peer.of("kernel-vxlan", runs.peer(which), VethOverlay.COMMAND)
        : null;
  }
}
