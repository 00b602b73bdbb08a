package io.gatun.perf;

import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.Overlay;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@link PodTraffic} between two pods, through Gatun with {@code ip_forward} 0 and through the
 * kernel, in the same namespaces over the same veths. One thread.
 */
final class PodPath {
  static final String PEER = "kernel-nftables";

  private static final String SERVER = "stream";

  /** After a start of the daemon: until its compilers are done. */
  private static final int WARM_UP_SECONDS = 5;

  private static final int QUICK_WARM_UP_SECONDS = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Where the pods are. */
  enum Place {
    /** On one node, through a Service; the kernel has kube-proxy's rules for it. */
    SERVICE("client-b"),
    /** On two nodes, from pod to pod through the overlay. */
    OVERLAY("client-a");

    private final String client;

    Place(String client) {
      this.client = client;
    }
  }

  private final String name;
  private final PodTraffic traffic;
  private final Place place;
  private final BenchOptions options;

  PodPath(String name, PodTraffic traffic, Place place, BenchOptions options) {
    this.name = name + "-" + ProcessHandle.current().pid();
    this.traffic = traffic;
    this.place = place;
    this.options = options;
  }

  /** Whole seconds of a run: that is what clients take. */
  static int seconds(BenchOptions options) {
    return (int) Math.max(1, Math.round(options.secondsPerRun(2)));
  }

  /** How the peer is set up and measured, by hand. */
  String peerCommand() {
    return "sysctl -w net.ipv4.ip_forward=1; nft -f kube-proxy.nft; "
        + String.join(" ", traffic.words(traffic.clusterIp(), seconds(options)));
  }

  /**
   * The traffic's figures of both sides, and after them the seconds of processor time that a unit
   * of its work took, on all cores.
   */
  Alternation.Runs measure(NodeDataplane dataplane) throws IOException {
    try (CpuMeter meter = CpuMeter.open()) {
      return measure(dataplane, meter);
    }
  }

  /** The same by a meter that is there: a process has one at a time. */
  Alternation.Runs measure(NodeDataplane dataplane, CpuMeter meter) throws IOException {
    TwoNodes topology = up();
    try (Cleanup _ = new Cleanup(topology::close, "gatun lab down --name " + name)) {
      Node server = topology.pod(SERVER).node();
      traffic.serve(server);
      server.awaitListening(traffic.port());
      Side gatun = new Gatun(topology, meter, dataplane);
      if (!options.peer()
          || (place == Place.SERVICE && !Program.isPeerInstalled("kube-proxy's rules", "nft"))) {
        return Alternation.alone(options.runs(), gatun);
      }
      return Alternation.of(options.runs(), gatun, new Kernel(topology, meter));
    }
  }

  private TwoNodes up() throws IOException {
    return switch (place) {
      case SERVICE -> TwoNodes.up(Lab.runDirectory(), name);
      case OVERLAY -> TwoNodes.up(Lab.runDirectory(), name, Overlay.FLANNEL);
    };
  }

  /** The traffic, whoever forwards it. */
  private abstract class Side implements Alternation.Side {
    /** Those that forward. */
    final List<Node> nodes;

    private final Pod client;
    private final String server;
    private final CpuMeter meter;

    Side(TwoNodes topology, CpuMeter meter) {
      this.nodes = place == Place.SERVICE ? List.of(topology.nodeB()) : topology.nodes();
      this.client = topology.pod(place.client);
      this.server = place == Place.SERVICE ? traffic.clusterIp() : topology.pod(SERVER).address();
      this.meter = meter;
    }

    final String run(int seconds) throws IOException {
      Command.Outcome outcome =
          client
              .node()
              .command(traffic.words(server, seconds).toArray(new String[0]))
              .within(Duration.ofSeconds(30L + seconds))
              .run();
      return outcome.output();
    }

    @Override
    public final double[] measure() throws IOException {
      long forwarded = byKernel();
      long spent = meter.nanos();
      String output = run(seconds(options));
      spent = meter.nanos() - spent;
      checkWhoForwarded(byKernel() - forwarded);
      double[] figures = traffic.figures(output);
      double[] all = Arrays.copyOf(figures, figures.length + 1);
      all[figures.length] = spent / 1e9 / traffic.work(output);
      return all;
    }

    private long byKernel() throws IOException {
      long packets = 0;
      for (Node node : nodes) {
        packets += KernelForwarding.packets(node);
      }
      return packets;
    }

    abstract void checkWhoForwarded(long byKernel);
  }

  private final class Gatun extends Side {
    private final NodeDataplane dataplane;
    private final List<Path> configs = new ArrayList<>();
    private final Path manifests;
    private final List<NodeDataplane.Running> running = new ArrayList<>();

    Gatun(TwoNodes topology, CpuMeter meter, NodeDataplane dataplane) throws IOException {
      super(topology, meter);
      this.dataplane = dataplane;
      for (Node node : nodes) {
        configs.add(Cluster.writeConfiguration(topology, node, options.driver()));
      }
      manifests = Cluster.writeManifests(topology);
    }

    @Override
    public void enter() throws IOException {
      for (int k = 0; k < nodes.size(); k++) {
        running.add(dataplane.start(nodes.get(k), configs.get(k), manifests));
      }
      for (NodeDataplane.Running one : running) {
        one.awaitReady(PATIENCE);
      }
      traffic.figures(run(options.quick() ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS));
    }

    @Override
    void checkWhoForwarded(long byKernel) {
      KernelForwarding.expectNone(byKernel);
    }

    @Override
    public void leave() throws IOException {
      for (NodeDataplane.Running one : running) {
        one.stop();
      }
      running.clear();
    }
  }

  private final class Kernel extends Side {
    private final @Nullable String rules;

    Kernel(TwoNodes topology, CpuMeter meter) {
      super(topology, meter);
      rules =
          place == Place.OVERLAY
              ? null
              : KubeProxyRules.of(
                  "tcp",
                  traffic.clusterIp(),
                  traffic.port(),
                  topology.pod(SERVER).address(),
                  TwoNodes.POD_NETWORK);
    }

    @Override
    public void enter() throws IOException {
      for (Node node : nodes) {
        node.sysctl("net.ipv4.ip_forward", "1");
        if (rules != null) {
          node.command("nft", "-f", "-").reading(rules).run().orThrow();
        }
      }
      traffic.figures(run(1));
    }

    @Override
    void checkWhoForwarded(long byKernel) {
      KernelForwarding.expectSome(byKernel);
    }

    @Override
    public void leave() throws IOException {
      for (Node node : nodes) {
        if (rules != null) {
          node.exec("nft", "delete", "table", "ip", KubeProxyRules.TABLE);
        }
        node.sysctl("net.ipv4.ip_forward", "0");
      }
    }
  }

  /** The peer's side of figure {@code which}; null where there is none. */
  Figure.@Nullable Peer peer(Alternation.Runs runs, int which) {
    return runs.hasPeer() ? Figure.Peer.of(PEER, runs.peer(which), peerCommand()) : null;
  }
}
