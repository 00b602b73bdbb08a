package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import io.gatun.worker.OtherThreads;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What established traffic through a ClusterIP loses, from veth to veth through the whole daemon,
 * while an API server tells of a whole cluster, of one change after the other, and of a thousand a
 * second; beside the kernel, whose rules {@code nft -f} loads and changes.
 */
final class ChurnBenchmark implements Benchmark {
  static final OneService ASKED =
      new OneService(VethDaemon.CLUSTER_IP, VethPath.SINK_ADDRESS, VethDaemon.PORT);

  private static final String PEER = "kernel-nftables";
  private static final double PHASE_SECONDS = 3;
  private static final double CONFIRM_SECONDS = 10;
  private static final double WARM_UP_SECONDS = 5;
  private static final double QUICK_SECONDS = 1;

  /** More than a core forwards. */
  private static final double MOST = 1_200_000;

  private final NodeDataplane dataplane;

  ChurnBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  private record Size(int services, int endpoints, boolean peer) {
    @Override
    public String toString() {
      return "%,d x %d".formatted(services, endpoints);
    }
  }

  /** nft takes half an hour for the larger one. */
  private static List<Size> sizes(BenchOptions options) {
    return options.quick()
        ? List.of(new Size(1000, 2, true))
        : List.of(new Size(10_000, 2, true), new Size(50_000, 5, false));
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("sizes", sizes(options).stream().map(Size::toString).toList());
    arguments.put("driver", options.driver());
    arguments.put("flows", VethBenchmark.flows(options));
    arguments.put("frameSize", FrameSource.BYTES);
    return arguments;
  }

  @Override
  public boolean isOfThisProcess(BenchOptions options) {
    return false;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    BitSet forwarder = new BitSet();
    forwarder.set(VethPath.FORWARDER_CPU);
    OtherThreads.leave(forwarder, Set.of()); // this API server works, too
    String name = "bench-churn-" + ProcessHandle.current().pid();
    List<Figure> figures = new ArrayList<>();
    try (CpuMeter meter = CpuMeter.open()) {
      VethPath path = VethPath.up(name, meter);
      try (Cleanup _ = new Cleanup(path::close, "gatun lab down --name " + name)) {
        for (Size size : sizes(options)) {
          try (BareTables tables = new BareTables()) {
            add(size, runs(path, size, tables, options), figures);
          }
        }
      }
    }
    return figures;
  }

  private Alternation.Runs runs(VethPath path, Size size, BareTables tables, BenchOptions options)
      throws IOException {
    FrameSource.Frames frames =
        FrameSource.Frames.small(
            VethDaemon.CLUSTER_IP_BITS, VethDaemon.PORT, VethBenchmark.flows(options));
    ChurnPath.Times times =
        options.quick()
            ? new ChurnPath.Times(QUICK_SECONDS, QUICK_SECONDS, QUICK_SECONDS, MOST)
            : new ChurnPath.Times(PHASE_SECONDS, CONFIRM_SECONDS, WARM_UP_SECONDS, MOST);
    LargeCluster cluster = new LargeCluster(size.services, size.endpoints, tables.services);
    ChurnPath ours =
        new ChurnDaemon(path, frames, times, dataplane, options.driver(), cluster, size.services);
    if (!size.peer || !options.peer() || !Program.isPeerInstalled("kube-proxy's rules", "nft")) {
      return Alternation.alone(options.runs(), ours);
    }
    cluster.load(cluster.lists(ASKED));
    return Alternation.of(
        options.runs(), ours, new ChurnKernel(path, frames, times, cluster, tables));
  }

  private static void add(Size size, Alternation.Runs runs, List<Figure> figures) {
    for (int i = 0; i < ChurnPath.FIGURES.size(); i++) {
      String what = ChurnPath.FIGURES.get(i);
      Figure.@Nullable Peer peer =
          runs.hasPeer(i) ? Figure.Peer.of(PEER, runs.peer(i), ChurnKernel.COMMAND) : null;
      figures.add(figure("%s, %s".formatted(size, what), what, runs.ours(i), peer));
    }
  }

  /** At half the rate nothing may be lost: a bound of the count, whatever the peer loses. */
  private static Figure figure(
      String title, String what, double[] ours, Figure.@Nullable Peer peer) {
    String unit =
        what.startsWith("no loss")
            ? "Mpps"
            : what.startsWith("lost") ? "packets" : what.startsWith("full") ? "s" : "ms";
    return Figure.beside(title, unit, ours, peer, what.startsWith("lost") ? 0.0 : null);
  }
}
