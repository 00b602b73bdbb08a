package io.gatun.perf;

import io.gatun.control.nftables.KubeProxyRules;
import io.gatun.control.service.FrontChange;
import io.gatun.lab.Command;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * How long it takes until tables say what an API server said: everything at once, and one change
 * among everything; beside {@code nft -f} with kube-proxy's rules for the same. From an event's
 * bytes to the published record: neither side's connection to the API server is in it.
 */
final class ReconfigureBenchmark implements Benchmark {
  /**
   * For the peer's full load: nft takes four times as long for twice as much, so that 50,000
   * Services of five endpoints would be half an hour. Killed, it counts with this, in its favour.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final int CHANGES = 3000;
  private static final int WARM_UP = 1000;
  private static final int PEER_CHANGES = 20;

  private record Size(int services, int endpoints, double floor) {
    @Override
    public String toString() {
      return "%,d x %d".formatted(services, endpoints);
    }
  }

  private static final double TWENTIETH = 20;

  /** A change in a millisecond: performance.md. */
  private static final double CHANGE_MICROS = 1000;

  private static final double CHANGE_GOAL = 50;

  private static List<Size> sizes(BenchOptions options) {
    return options.quick()
        ? List.of(new Size(2000, 2, TWENTIETH))
        : List.of(new Size(10_000, 2, TWENTIETH), new Size(50_000, 5, TWENTIETH));
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("sizes", sizes(options).stream().map(Size::toString).toList());
    arguments.put("changes", CHANGES);
    return arguments;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    List<Figure> figures = new ArrayList<>();
    for (Size size : sizes(options)) {
      of(size, options, figures);
    }
    return figures;
  }

  private static void of(Size size, BenchOptions options, List<Figure> figures) throws IOException {
    int runs = Math.min(options.runs(), 5);
    double[] full = new double[runs];
    for (int run = 0; run < runs - 1; run++) {
      try (BareTables tables = new BareTables()) {
        full[run] = load(new LargeCluster(size.services, size.endpoints, tables.services));
      }
    }
    try (BareTables tables = new BareTables()) {
      LargeCluster cluster = new LargeCluster(size.services, size.endpoints, tables.services);
      full[runs - 1] = load(cluster);
      double[] changes = changes(cluster, tables);
      Peer peer = options.peer() && Program.isInstalled("nft") ? peer(cluster, tables) : null;
      figures.add(
          Figure.cost(
              "full load, " + size,
              "ms",
              full,
              peer == null
                  ? null
                  : Figure.Peer.of(peer.name, new double[] {peer.full}, "nft -f all.nft"),
              peer == null ? null : size.floor,
              null));
      double[] p50 = {percentile(changes, 0.5)};
      double[] p99 = {percentile(changes, 0.99)};
      Figure.Peer delta =
          peer == null || peer.changes.length == 0
              ? null
              : Figure.Peer.of("nft -f", peer.changes, "nft -f delta.nft");
      figures.add(Figure.cost("one change of " + size + ", p50", "us", p50, delta, null, null));
      figures.add(
          Figure.cost("one change of " + size + ", p99", "us", p99, CHANGE_MICROS, CHANGE_GOAL));
      figures.add(Figure.cost("memory, heap, " + size, "MB", new double[] {heap()}, null, null));
      if (cluster.fronts().fronts().isEmpty()) {
        throw new IllegalStateException("nothing was loaded");
      }
    }
  }

  /** Milliseconds. */
  private static double load(LargeCluster cluster) throws IOException {
    List<byte[]> lists = cluster.lists();
    long start = System.nanoTime();
    cluster.load(lists);
    return (System.nanoTime() - start) / 1e6;
  }

  /** Microseconds each. */
  private static double[] changes(LargeCluster cluster, BareTables tables) throws IOException {
    SplittableRandom random = new SplittableRandom(20261121);
    double[] micros = new double[CHANGES];
    for (int i = -WARM_UP; i < CHANGES; i++) {
      byte[] event = cluster.change(random, 2 + WARM_UP + i);
      long start = System.nanoTime();
      cluster.apply(event);
      double took = (System.nanoTime() - start) / 1e3;
      if (i >= 0) {
        micros[i] = took;
      }
      tables.qsbr.reclaim();
    }
    return micros;
  }

  private static double percentile(double[] values, double part) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.min(sorted.length - 1, Math.ceil(part * sorted.length))];
  }

  /** Megabytes after a collection: tables, objects, fronts. */
  private static double heap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1e6;
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Peer(String name, double full, double[] changes) {}

  private static Peer peer(LargeCluster cluster, BareTables tables) throws IOException {
    String namespace = "gatun-reconfigure-" + ProcessHandle.current().pid();
    Command.of("ip", "netns", "add", namespace).run().orThrow();
    try (Cleanup _ =
        new Cleanup(
            () -> Command.of("ip", "netns", "del", namespace).run(), "ip netns del " + namespace)) {
      KubeProxyRules rules = new KubeProxyRules(false, "kube-proxy", List.of());
      String all = rules.all(cluster.fronts().fronts());
      double full;
      try {
        full = nft(namespace, all) / 1e3;
      } catch (IOException e) {
        double most = PATIENCE.toMillis();
        return new Peer(
            "nft -f, killed after %d s".formatted(PATIENCE.toSeconds()), most, new double[0]);
      }
      SplittableRandom random = new SplittableRandom(7);
      double[] changes = new double[PEER_CHANGES];
      for (int i = 0; i < PEER_CHANGES; i++) {
        FrontChange change = cluster.apply(cluster.change(random, 100 + i));
        changes[i] = nft(namespace, rules.delta(change));
        tables.qsbr.reclaim();
      }
      return new Peer("nft -f", full, changes);
    }
  }

  /** Microseconds. */
  private static double nft(String namespace, String text) throws IOException {
    long start = System.nanoTime();
    Command.of("nsenter", "--net=/run/netns/" + namespace, "nft", "-f", "-")
        .reading(text)
        .within(PATIENCE)
        .run()
        .orThrow();
    return (System.nanoTime() - start) / 1e3;
  }
}
