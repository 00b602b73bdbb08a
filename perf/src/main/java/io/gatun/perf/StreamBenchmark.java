package io.gatun.perf;

import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * TCP from a pod through a ClusterIP to another pod of the same node, by iperf3: through Gatun with
 * {@code ip_forward} 0, and through the kernel with kube-proxy's rules, in the same namespaces over
 * the same veths.
 */
final class StreamBenchmark implements Benchmark {
  /** docs/performance.md: ratio to the kernel, with the drivers xdp and packet. */
  private static final double FLOOR_XDP = 0.12;

  private static final double FLOOR_PACKET = 0.5;

  private static final double GOAL = 1.0;

  private static final int PORT = 5201;

  /** Slow start, which is left out. */
  private static final int OMITTED_SECONDS = 1;

  /** After a start of the daemon: until its compilers are done. */
  private static final int WARM_UP_SECONDS = 5;

  private static final int QUICK_WARM_UP_SECONDS = 3;

  private final NodeDataplane dataplane;

  StreamBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  @Override
  public boolean isOfThisProcess(BenchOptions options) {
    return false;
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("streams", options.streams());
    arguments.put("mtu", 1500);
    arguments.put("driver", options.driver());
    arguments.put("secondsPerRun", seconds(options));
    return arguments;
  }

  private static int seconds(BenchOptions options) {
    return (int) Math.max(1, Math.round(options.secondsPerRun(2)));
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    String name = "bench-stream-" + ProcessHandle.current().pid();
    TwoNodes topology = TwoNodes.up(Lab.runDirectory(), name);
    try (Cleanup _ = new Cleanup(topology::close, "gatun lab down --name " + name);
        CpuMeter meter = CpuMeter.open()) {
      Pod server = topology.pod("stream");
      server.node().spawn("iperf3", "iperf3", "--server");
      awaitListening(server.node());
      Through gatun = new Gatun(topology, options, meter, dataplane);
      Through kernel = new Kernel(topology, options, meter);
      boolean peer = options.peer() && Program.isPeerInstalled("kube-proxy's rules", "nft");
      Alternation.Runs runs =
          peer
              ? Alternation.of(options.runs(), gatun, kernel)
              : Alternation.alone(options.runs(), gatun);
      double floor = options.driver().equals("xdp") ? FLOOR_XDP : FLOOR_PACKET;
      return figures(runs, kernel.words(seconds(options)), floor);
    }
  }

  private static List<Figure> figures(Alternation.Runs runs, List<String> words, double floor) {
    String command =
        "sysctl -w net.ipv4.ip_forward=1; nft -f kube-proxy.nft; " + String.join(" ", words);
    List<Figure.@Nullable Peer> peers = new ArrayList<>();
    for (int figure = 0; figure < 2; figure++) {
      peers.add(
          runs.hasPeer() ? Figure.Peer.of("kernel-nftables", runs.peer(figure), command) : null);
    }
    return List.of(
        Figure.rate("stream", "Gbit/s", runs.ours(0), peers.get(0), floor, GOAL),
        Figure.cost("cpu, all cores", "s/Gbit", runs.ours(1), peers.get(1), null, null));
  }

  private static void awaitListening(Node node) throws IOException {
    for (int attempt = 0; attempt < 500; attempt++) {
      if (node.exec("ss", "-Hlnt").orThrow().output().contains(":" + PORT + " ")) {
        return;
      }
      try {
        TimeUnit.MILLISECONDS.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    throw new IOException("iperf3 does not listen; see " + node.runDirectory());
  }

  /** The stream, whoever forwards it. */
  private abstract static class Through implements Alternation.Side {
    final TwoNodes topology;
    final Node node;
    final BenchOptions options;
    private final CpuMeter meter;

    Through(TwoNodes topology, BenchOptions options, CpuMeter meter) {
      this.topology = topology;
      this.node = topology.nodeB();
      this.options = options;
      this.meter = meter;
    }

    List<String> words(int time) {
      return List.of(
          "iperf3",
          "-c",
          Cluster.STREAM,
          "-P",
          Integer.toString(options.streams()),
          "-O",
          Integer.toString(OMITTED_SECONDS),
          "-t",
          Integer.toString(time),
          "--connect-timeout",
          "3000",
          "-J");
    }

    IperfReport stream(int time) throws IOException {
      Command.Outcome outcome =
          topology
              .pod("client-b")
              .node()
              .command(words(time).toArray(new String[0]))
              .within(Duration.ofSeconds(30L + time))
              .run();
      return IperfReport.of(outcome.output());
    }

    /** Gbit/s, and seconds of processor time a Gbit. */
    @Override
    public double[] measure() throws IOException {
      long forwarded = KernelForwarding.packets(node);
      long spent = meter.nanos();
      IperfReport report = stream(seconds(options));
      spent = meter.nanos() - spent;
      checkWhoForwarded(KernelForwarding.packets(node) - forwarded);
      return new double[] {report.gigabitsPerSecond(), spent / 1e9 / report.gigabits()};
    }

    abstract void checkWhoForwarded(long byKernel);
  }

  private static final class Gatun extends Through {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final NodeDataplane dataplane;
    private final Path config;
    private final Path manifests;
    private NodeDataplane.@Nullable Running running;

    Gatun(TwoNodes topology, BenchOptions options, CpuMeter meter, NodeDataplane dataplane)
        throws IOException {
      super(topology, options, meter);
      this.dataplane = dataplane;
      this.config = Cluster.writeConfiguration(topology, node, options.driver());
      this.manifests = Cluster.writeManifests(topology);
    }

    @Override
    public void enter() throws IOException {
      running = dataplane.start(node, config, manifests);
      running.awaitReady(PATIENCE);
      stream(options.quick() ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS);
    }

    @Override
    void checkWhoForwarded(long byKernel) {
      if (byKernel != 0) {
        throw new IllegalStateException(byKernel + " packets were forwarded by the kernel");
      }
    }

    @Override
    public void leave() throws IOException {
      if (running != null) {
        running.stop();
        running = null;
      }
    }
  }

  private static final class Kernel extends Through {
    Kernel(TwoNodes topology, BenchOptions options, CpuMeter meter) {
      super(topology, options, meter);
    }

    @Override
    public void enter() throws IOException {
      node.sysctl("net.ipv4.ip_forward", "1");
      String rules =
          KubeProxyRules.of(
              "tcp", Cluster.STREAM, PORT, topology.pod("stream").address(), TwoNodes.POD_NETWORK);
      node.command("nft", "-f", "-").reading(rules).run().orThrow();
      stream(1);
    }

    @Override
    void checkWhoForwarded(long byKernel) {
      if (byKernel == 0) {
        throw new IllegalStateException("the kernel forwarded nothing");
      }
    }

    @Override
    public void leave() throws IOException {
      node.exec("nft", "delete", "table", "ip", KubeProxyRules.TABLE);
      node.sysctl("net.ipv4.ip_forward", "0");
    }
  }
}
