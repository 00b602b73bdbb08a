package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the first packet of a connection costs more than the next one, where a node has many
 * Services; beside the kernel with kube-proxy's nftables rules for as many. UDP between two pods of
 * the node, there and back.
 */
final class FirstPacketBenchmark implements Benchmark {
  private static final String PEER = "kernel-nftables";
  private static final String COMMAND = "sysctl -w net.ipv4.ip_forward=1; nft -f kube-proxy.nft";

  /** Of the peer's added time, at the 99th percentile. */
  private static final double FLOOR = 1;

  private static final double GOAL = 2;

  /** nft takes minutes to load 30,000: four times as long for twice as many. */
  private static final int MOST_OF_PEER = 10_000;

  /** Then the kernel's rules are loaded once for each size. */
  private static final int MOST_RUNS = 2;

  private final NodeDataplane dataplane;

  FirstPacketBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  private static List<Integer> sizes(BenchOptions options) {
    return options.quick() ? List.of(1000) : List.of(1000, 10_000, 30_000);
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("services", sizes(options));
    arguments.put("driver", options.driver());
    return arguments;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    List<Figure> figures = new ArrayList<>();
    for (int services : sizes(options)) {
      FirstPacketPath path = new FirstPacketPath(services, options);
      try (Cleanup _ = new Cleanup(path::close, "gatun lab down --name " + path.name())) {
        add(services, runs(path, services, options), figures);
      }
    }
    return figures;
  }

  private Alternation.Runs runs(FirstPacketPath path, int services, BenchOptions options)
      throws IOException {
    int runs = Math.min(options.runs(), MOST_RUNS);
    return options.peer()
            && services <= MOST_OF_PEER
            && Program.isPeerInstalled("kube-proxy's rules", "nft")
        ? Alternation.of(runs, path.gatun(dataplane), path.kernel())
        : Alternation.alone(runs, path.gatun(dataplane));
  }

  private static void add(int services, Alternation.Runs runs, List<Figure> figures) {
    for (int i = 0; i < FirstPacketPath.FIGURES.size(); i++) {
      boolean judged = i == FirstPacketPath.FIGURES.size() - 1;
      figures.add(
          Figure.cost(
              "first packet, %,d Services, %s".formatted(services, FirstPacketPath.FIGURES.get(i)),
              "us",
              runs.ours(i),
              runs.hasPeer() ? Figure.Peer.of(PEER, runs.peer(i), COMMAND) : null,
              judged ? FLOOR : null,
              judged ? GOAL : null));
    }
  }
}
