package io.gatun.perf;

import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.Overlay;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One TCP stream from a pod to a pod of another node through the overlay: Gatun on both nodes, and
 * the kernel on both. One thread.
 */
final class OverlayStream {
  private static final int WARM_UP_SECONDS = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int PORT = 5201;

  private final BenchOptions options;
  private final CpuMeter meter;

  OverlayStream(BenchOptions options, CpuMeter meter) {
    this.options = options;
    this.meter = meter;
  }

  /** Gbit/s, and seconds of processor time a gigabit on all cores. */
  Alternation.Runs measure(NodeDataplane dataplane) throws IOException {
    String name = "bench-vxlan-stream-" + ProcessHandle.current().pid();
    TwoNodes topology = TwoNodes.up(Lab.runDirectory(), name, Overlay.FLANNEL);
    try (Cleanup _ = new Cleanup(topology::close, "gatun lab down --name " + name)) {
      Node server = topology.pod("stream").node();
      server.spawn("iperf3", "iperf3", "--server");
      awaitListening(server);
      Side ours = new Gatun(topology, dataplane);
      return options.peer()
          ? Alternation.of(options.runs(), ours, new Kernel(topology))
          : Alternation.alone(options.runs(), ours);
    }
  }

  private static void awaitListening(Node node) throws IOException {
    for (int attempt = 0; attempt < 250; attempt++) {
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

  private abstract class Side implements Alternation.Side {
    final TwoNodes topology;

    Side(TwoNodes topology) {
      this.topology = topology;
    }

    final IperfReport run(int seconds) throws IOException {
      String server = topology.pod("stream").address();
      Command.Outcome outcome =
          topology
              .pod("client-a")
              .node()
              .command(
                  "iperf3 -c %s -t %d -O 1 --connect-timeout 3000 -J"
                      .formatted(server, seconds)
                      .split(" "))
              .within(Duration.ofSeconds(30L + seconds))
              .run();
      return IperfReport.of(outcome.output());
    }

    @Override
    public final double[] measure() throws IOException {
      long spent = meter.nanos();
      IperfReport report = run(PodPath.seconds(options));
      spent = meter.nanos() - spent;
      return new double[] {report.gigabitsPerSecond(), spent / 1e9 / report.gigabits()};
    }
  }

  private final class Gatun extends Side {
    private final NodeDataplane dataplane;
    private final List<NodeDataplane.Running> running = new ArrayList<>();

    Gatun(TwoNodes topology, NodeDataplane dataplane) {
      super(topology);
      this.dataplane = dataplane;
    }

    @Override
    public void enter() throws IOException {
      Path manifests = Cluster.writeManifests(topology);
      for (Node node : topology.nodes()) {
        Path config = Cluster.writeConfiguration(topology, node, options.driver());
        running.add(dataplane.start(node, config, manifests));
      }
      for (NodeDataplane.Running one : running) {
        one.awaitReady(PATIENCE);
      }
      run(WARM_UP_SECONDS);
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
    Kernel(TwoNodes topology) {
      super(topology);
    }

    @Override
    public void enter() throws IOException {
      for (Node node : topology.nodes()) {
        node.sysctl("net.ipv4.ip_forward", "1");
      }
      run(1);
    }

    @Override
    public void leave() throws IOException {
      for (Node node : topology.nodes()) {
        node.sysctl("net.ipv4.ip_forward", "0");
      }
    }
  }
}
