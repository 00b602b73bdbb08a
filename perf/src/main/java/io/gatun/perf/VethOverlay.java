package io.gatun.perf;

import io.gatun.flow.AddressWords;
import io.gatun.lab.Batch;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A pod on one side, an overlay's nodes on the other: what is sent, and by what it is forwarded.
 * Stateless.
 */
final class VethOverlay {
  static final String COMMAND =
      "sysctl -w net.ipv4.ip_forward=1; ip link add flannel.1 type vxlan id 1 local 10.2.0.1"
          + " dev out0 dstport 8472 nolearning noudpcsum";

  /** Other nodes, each with the pods of a /26, one behind the other from 11.0.0.0. */
  static final int NODES = 1024;

  private static final int PODS = 0x0B00_0000;

  /** The other nodes in the underlay, from 10.3.0.0. */
  private static final int REMOTES = 0x0A03_0000;

  /** The one that is sent to on each of them. */
  private static final int POD = PODS + 5;

  private static final int PORT = 53;
  private static final double WARM_UP_SECONDS = 5;
  private static final double QUICK_WARM_UP_SECONDS = 2;

  private VethOverlay() {}

  /** The whole daemon: frames go into its tunnels. */
  static VethSide daemon(VethPath path, BenchOptions options, NodeDataplane dataplane)
      throws IOException {
    Path directory = Files.createDirectories(path.node().runDirectory());
    var inputs =
        new VethDaemon.Inputs(
            Files.writeString(directory.resolve("gatun.yaml"), configuration()),
            Files.createDirectories(directory.resolve("manifests")));
    double warmUp = options.quick() ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS;
    return new VethDaemon(path, loads(options), dataplane, inputs, warmUp);
  }

  /** The kernel's own VXLAN device. */
  static VethSide kernel(VethPath path, BenchOptions options) {
    return VethKernel.routing(path, loads(options));
  }

  /** A combination of size and tunnels. */
  record Kind(int bytes, int tunnels) {
    @Override
    public String toString() {
      return "%d bytes, %d tunnel%s".formatted(bytes, tunnels, tunnels == 1 ? "" : "s");
    }
  }

  /** In the order in which they are measured. */
  static final List<Kind> KINDS =
      List.of(
          new Kind(FrameSource.BYTES, 1),
          new Kind(FrameSource.BYTES, NODES),
          new Kind(1450, 1),
          new Kind(1450, NODES));

  private static List<VethSide.Load> loads(BenchOptions options) {
    int flows = Math.min(FrameSource.MOST_FLOWS, Integer.highestOneBit(2 * options.flows() - 1));
    return KINDS.stream()
        .map(kind ->
            new VethSide.Load(
                new FrameSource.Frames(POD, kind.tunnels(), PORT, flows, kind.bytes()),
                options.secondsPerRun(1) / KINDS.size(),
                true))
        .toList();
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
    Batch batch = new Batch();
    batch
        .ip(
            node,
            "link add flannel.1 mtu 1450 type vxlan id 1 local 10.2.0.1 dev "
                + VethPath.OUT
                + " dstport 8472 nolearning noudpcsum")
        .ip(node, "address add 10.244.0.0/32 dev flannel.1")
        .ip(node, "link set flannel.1 up")
        .ip(node, "route add 10.3.0.0/16 via " + VethPath.SINK_ADDRESS);
    StringBuilder places = new StringBuilder();
    for (int k = 0; k < NODES; k++) {
      String gateway = text(PODS + k * FrameSource.NETWORK);
      String mac = VethPath.text(0x0A_58_0B_00_00_00L + k);
      batch
          .ip(
              node,
              "neigh replace %s lladdr %s dev flannel.1 nud permanent".formatted(gateway, mac))
          .ip(node, "route add %s/26 via %s dev flannel.1 onlink".formatted(gateway, gateway));
      places.append(
          "fdb replace %s dev flannel.1 dst %s self permanent\n".formatted(mac, text(REMOTES + k)));
    }
    batch.run();
    Command.of(node.enter("bridge", "-batch", "-")).reading(places.toString()).run().orThrow();
  }

  private static String text(int address) {
    return AddressWords.address(false, 0, address & 0xFFFF_FFFFL).getHostAddress();
  }
}
