package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * 64-byte frames from one veth to another: forwarded by a worker beside DPDK's testpmd, or, with
 * {@code --service}, translated by the whole daemon beside the kernel with kube-proxy's rules.
 */
final class VethBenchmark implements Benchmark {
  // Floor and goal: ratios to the peer.
  private static final double FORWARD_FLOOR = 0.95;
  private static final double FORWARD_GOAL = 1.15;
  private static final double SERVICE_FLOOR = 1.0;
  private static final double SERVICE_GOAL = 1.3;

  /** At most 1.3 times the kernel's processor time; the goal is to need no more than it. */
  private static final double CPU_FLOOR = 0.77;

  private static final double CPU_GOAL = 1.0;

  private static final double WARM_UP_SECONDS = 5;
  private static final double QUICK_WARM_UP_SECONDS = 2;

  private final NodeDataplane dataplane;

  VethBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  @Override
  public boolean isOfThisProcess(BenchOptions options) {
    return !options.service();
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("service", options.service());
    arguments.put("frameSize", FrameSource.BYTES);
    arguments.put("flows", options.service() ? flows(options) : 1);
    arguments.put("source", "live XDP frames; at a given rate a packet socket; CPU 0");
    arguments.put("secondsPerRun", options.secondsPerRun(1));
    if (options.service()) {
      arguments.put("driver", options.driver());
      arguments.put("cpuAtFramesPerSecond", VethSide.PACED);
    }
    return arguments;
  }

  /** The next power of two. */
  static int flows(BenchOptions options) {
    return Math.min(FrameSource.MOST_FLOWS, Integer.highestOneBit(2 * options.flows() - 1));
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    String name = "bench-veth-" + ProcessHandle.current().pid();
    try (CpuMeter meter = CpuMeter.open()) {
      VethPath path = VethPath.up(name, meter);
      try (Cleanup _ = new Cleanup(path::close, "gatun lab down --name " + name)) {
        return options.service() ? service(path, options) : forward(path, options);
      }
    }
  }

  private static double warmUp(BenchOptions options) {
    return options.quick() ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS;
  }

  private static List<Figure> forward(VethPath path, BenchOptions options) throws IOException {
    FrameSource.Frames frames = FrameSource.Frames.small(VethPath.SINK, 53, 1);
    VethSide.Load load = new VethSide.Load(frames, options.secondsPerRun(1), false);
    VethSide ours = new VethWorker(path, load, warmUp(options));
    if (!options.peer() || !Program.isPeerInstalled("testpmd", Testpmd.PROGRAM)) {
      return figures(options, Alternation.alone(options.runs(), ours), null, "");
    }
    HugePages pages = HugePages.reserve(Testpmd.MEGABYTES);
    try (Cleanup _ = new Cleanup(pages, "sysctl vm.nr_hugepages")) {
      Testpmd testpmd = new Testpmd(path, load, pages);
      Alternation.Runs runs = Alternation.of(options.runs(), ours, testpmd);
      return figures(options, runs, "dpdk-testpmd", testpmd.command());
    }
  }

  private List<Figure> service(VethPath path, BenchOptions options) throws IOException {
    VethSide.Load load =
        new VethSide.Load(
            FrameSource.Frames.small(VethDaemon.CLUSTER_IP_BITS, VethDaemon.PORT, flows(options)),
            options.secondsPerRun(1),
            true);
    VethSide ours = new VethDaemon(path, load, dataplane, options.driver(), warmUp(options));
    if (!options.peer() || !Program.isPeerInstalled("kube-proxy's rules", "nft")) {
      return figures(options, Alternation.alone(options.runs(), ours), null, "");
    }
    Alternation.Runs runs = Alternation.of(options.runs(), ours, VethKernel.serving(path, load));
    return figures(options, runs, "kernel-nftables", VethKernel.COMMAND);
  }

  private static List<Figure> figures(
      BenchOptions options, Alternation.Runs runs, @Nullable String peer, String command) {
    Figure.Peer rate = peer == null ? null : Figure.Peer.of(peer, runs.peer(0), command);
    Figure.Peer cpu = peer == null ? null : Figure.Peer.of(peer, runs.peer(1), command);
    String unit = "ns/packet";
    return options.service()
        ? List.of(
            Figure.rate("service", "Mpps", runs.ours(0), rate, SERVICE_FLOOR, SERVICE_GOAL),
            Figure.cost("cpu, all cores", unit, runs.ours(1), cpu, CPU_FLOOR, CPU_GOAL))
        : List.of(
            Figure.rate("forward", "Mpps", runs.ours(0), rate, FORWARD_FLOOR, FORWARD_GOAL),
            Figure.cost("cpu, all cores", unit, runs.ours(1), cpu, null, null));
  }
}
