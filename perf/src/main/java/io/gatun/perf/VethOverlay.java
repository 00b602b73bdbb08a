package io.gatun.perf;

import io.gatun.lab.Batch;
import io.gatun.lab.Node;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The whole daemon between a pod and a node of the overlay: frames go into its tunnel. */
final class VethOverlay extends VethSide {
  static final String COMMAND =
      "sysctl -w net.ipv4.ip_forward=1; ip link add flannel.1 type vxlan id 1 local 10.2.0.1"
          + " dev out0 dstport 8472 nolearning noudpcsum";

  /** A pod behind the other node: 10.244.1.5. */
  private static final int POD = 0x0AF4_0105;

  private static final int PORT = 53;
  private static final double WARM_UP_SECONDS = 5;
  private static final double QUICK_WARM_UP_SECONDS = 2;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final NodeDataplane dataplane;
  private final double warmUp;
  private final Path config;
  private final Path manifests;
  private NodeDataplane.@Nullable Running running;

  VethOverlay(VethPath path, BenchOptions options, NodeDataplane dataplane) throws IOException {
    super(path, load(options));
    this.dataplane = dataplane;
    warmUp = options.quick() ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS;
    Path directory = Files.createDirectories(path.node().runDirectory());
    config = Files.writeString(directory.resolve("gatun.yaml"), configuration());
    manifests = Files.createDirectories(directory.resolve("manifests"));
  }

  static Load load(BenchOptions options) {
    int flows = Math.min(FrameSource.MOST_FLOWS, Integer.highestOneBit(2 * options.flows() - 1));
    return new Load(POD, PORT, flows, options.secondsPerRun(1), true);
  }

  private static String configuration() {
    return """
    apiVersion: gatun.io/v1alpha1
    kind: GatunConfiguration
    node: node
    nodeAddresses: [10.2.0.1]
    interfaces:
      - {name: %s, role: pod, driver: xdp}
      - {name: %s, role: uplink, driver: xdp}
    workers: {count: 1, cpus: [%d], idle: adaptive}
    kernel: {mirror: true}
    """
        .formatted(VethPath.IN, VethPath.OUT, VethPath.FORWARDER_CPU);
  }

  /** What flanneld does, for both sides. */
  static void prepare(Node node) throws IOException {
    new Batch()
        .ip(
            node,
            "link add flannel.1 mtu 1450 type vxlan id 1 local 10.2.0.1 dev "
                + VethPath.OUT
                + " dstport 8472 nolearning noudpcsum")
        .ip(node, "address add 10.244.0.0/32 dev flannel.1")
        .ip(node, "link set flannel.1 up")
        .ip(node, "neigh replace 10.244.1.0 lladdr 0a:58:0a:f4:01:00 dev flannel.1 nud permanent")
        .ip(node, "route add 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink")
        .run();
    String place = "fdb replace 0a:58:0a:f4:01:00 dev flannel.1 dst " + VethPath.SINK_ADDRESS;
    node.exec(("bridge " + place + " self permanent").split(" ")).orThrow();
  }

  @Override
  public void enter() throws IOException {
    running = dataplane.start(path.node(), config, manifests);
    running.awaitReady(PATIENCE);
    send(warmUp, 0);
  }

  @Override
  public void leave() throws IOException {
    if (running != null) {
      running.stop();
      running = null;
    }
  }
}
