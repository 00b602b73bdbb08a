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
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@link PodTraffic} between two pods of one node, through Gatun with {@code ip_forward} 0 and
 * through the kernel with kube-proxy's rules, in the same namespaces over the same veths. One
 * thread.
 */
final class PodPath {
  static final String PEER = "kernel-nftables";

  /** After a start of the daemon: until its compilers are done. */
  private static final int WARM_UP_SECONDS = 5;

  private static final int QUICK_WARM_UP_SECONDS = 3;

  private final String name;
  private final PodTraffic traffic;
  private final BenchOptions options;

  PodPath(String name, PodTraffic traffic, BenchOptions options) {
    this.name = name + "-" + ProcessHandle.current().pid();
    this.traffic = traffic;
    this.options = options;
  }

  /** Whole seconds of a run: that is what clients take. */
  static int seconds(BenchOptions options) {
    return (int) Math.max(1, Math.round(options.secondsPerRun(2)));
  }

  /** How the peer is set up and measured, by hand. */
  String peerCommand() {
    return "sysctl -w net.ipv4.ip_forward=1; nft -f kube-proxy.nft; "
        + String.join(" ", traffic.words(seconds(options)));
  }

  /**
   * The traffic's figures of both sides, and after them the seconds of processor time that a unit
   * of its work took, on all cores.
   */
  Alternation.Runs measure(NodeDataplane dataplane) throws IOException {
    TwoNodes topology = TwoNodes.up(Lab.runDirectory(), name);
    try (Cleanup _ = new Cleanup(topology::close, "gatun lab down --name " + name);
        CpuMeter meter = CpuMeter.open()) {
      Node server = topology.pod("stream").node();
      traffic.serve(server);
      awaitListening(server);
      Side gatun = new Gatun(topology, meter, dataplane);
      if (!options.peer() || !Program.isPeerInstalled("kube-proxy's rules", "nft")) {
        return Alternation.alone(options.runs(), gatun);
      }
      return Alternation.of(options.runs(), gatun, new Kernel(topology, meter));
    }
  }

  private void awaitListening(Node node) throws IOException {
    for (int attempt = 0; attempt < 500; attempt++) {
      if (node.exec("ss", "-Hlnt").orThrow().output().contains(":" + traffic.port() + " ")) {
        return;
      }
      try {
        TimeUnit.MILLISECONDS.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    throw new IOException("the server does not listen; see " + node.runDirectory());
  }

  /** The traffic, whoever forwards it. */
  private abstract class Side implements Alternation.Side {
    final Node node;
    private final Pod client;
    private final CpuMeter meter;

    Side(TwoNodes topology, CpuMeter meter) {
      this.node = topology.nodeB();
      this.client = topology.pod("client-b");
      this.meter = meter;
    }

    final String run(int seconds) throws IOException {
      Command.Outcome outcome =
          client
              .node()
              .command(traffic.words(seconds).toArray(new String[0]))
              .within(Duration.ofSeconds(30L + seconds))
              .run();
      return outcome.output();
    }

    @Override
    public final double[] measure() throws IOException {
      long forwarded = KernelForwarding.packets(node);
      long spent = meter.nanos();
      String output = run(seconds(options));
      spent = meter.nanos() - spent;
      checkWhoForwarded(KernelForwarding.packets(node) - forwarded);
      double[] figures = traffic.figures(output);
      double[] all = Arrays.copyOf(figures, figures.length + 1);
      all[figures.length] = spent / 1e9 / traffic.work(output);
      return all;
    }

    abstract void checkWhoForwarded(long byKernel);
  }

  private final class Gatun extends Side {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final NodeDataplane dataplane;
    private final Path config;
    private final Path manifests;
    private NodeDataplane.@Nullable Running running;

    Gatun(TwoNodes topology, CpuMeter meter, NodeDataplane dataplane) throws IOException {
      super(topology, meter);
      this.dataplane = dataplane;
      this.config = Cluster.writeConfiguration(topology, node, options.driver());
      this.manifests = Cluster.writeManifests(topology);
    }

    @Override
    public void enter() throws IOException {
      running = dataplane.start(node, config, manifests);
      running.awaitReady(PATIENCE);
      traffic.figures(run(options.quick() ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS));
    }

    @Override
    void checkWhoForwarded(long byKernel) {
      KernelForwarding.expectNone(byKernel);
    }

    @Override
    public void leave() throws IOException {
      if (running != null) {
        running.stop();
        running = null;
      }
    }
  }

  private final class Kernel extends Side {
    private final String rules;

    Kernel(TwoNodes topology, CpuMeter meter) {
      super(topology, meter);
      rules =
          KubeProxyRules.of(
              "tcp",
              traffic.clusterIp(),
              traffic.port(),
              topology.pod("stream").address(),
              TwoNodes.POD_NETWORK);
    }

    @Override
    public void enter() throws IOException {
      node.sysctl("net.ipv4.ip_forward", "1");
      node.command("nft", "-f", "-").reading(rules).run().orThrow();
      traffic.figures(run(1));
    }

    @Override
    void checkWhoForwarded(long byKernel) {
      KernelForwarding.expectSome(byKernel);
    }

    @Override
    public void leave() throws IOException {
      node.exec("nft", "delete", "table", "ip", KubeProxyRules.TABLE);
      node.sysctl("net.ipv4.ip_forward", "0");
    }
  }

  /** The peer's side of figure {@code which}; null where there is none. */
  Figure.@Nullable Peer peer(Alternation.Runs runs, int which) {
    return runs.hasPeer() ? Figure.Peer.of(PEER, runs.peer(which), peerCommand()) : null;
  }
}
