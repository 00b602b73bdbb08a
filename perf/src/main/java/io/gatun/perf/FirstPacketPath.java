package io.gatun.perf;

import io.gatun.control.document.Prefix;
import io.gatun.control.nftables.KubeProxyRules;
import io.gatun.lab.Batch;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Two pods of one node, which talk through a Service that is one of many: through the whole daemon,
 * and through the kernel with kube-proxy's nftables rules for the same, in the same namespaces.
 * Client and server run where the scheduler wants them; Gatun's worker has a core of its own, as
 * nodes are configured. One thread.
 */
final class FirstPacketPath {
  /** What {@link Side#measure} returns, in this order: microseconds. */
  static final List<String> FIGURES =
      List.of(
          "round trip, p50",
          "round trip, p99",
          "second round trip, p50",
          "second round trip, p99",
          "added, p50",
          "added, p99");

  private static final String FRONT = "10.96.0.53";
  private static final String SERVER = "10.1.0.2";
  private static final int PORT = 5353;
  private static final OneService ASKED = new OneService(FRONT, SERVER, PORT);
  private static final String[] CLIENTS =
      IntStream.rangeClosed(1, 10).mapToObj(i -> "10.1.1." + i).toArray(String[]::new);

  private static final String GATEWAY = "169.254.1.1";

  /** Some five seconds: a daemon's compilers run on the core that client and server share. */
  private static final int WARM_UP = 30_000;

  private static final int QUICK_WARM_UP = 1000;

  /** Flows between two looks at a daemon's compilers: about a second. */
  private static final int ROUND = 10_000;

  private static final int MOST_ROUNDS = 16;

  /** Of which the slowest hundredth is 200: what disturbs a few dozen a second is even then. */
  private static final int FLOWS = 20_000;

  private static final int QUICK_FLOWS = 500;

  /**
   * nft takes 13 s for 10,000 Services of two endpoints, and four times as long for twice as many.
   */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private static final int ENDPOINTS = 1;

  private final int services;
  private final BenchOptions options;
  private final Lab lab;
  private final Node node;
  private final FirstPackets packets;

  FirstPacketPath(int services, BenchOptions options) throws IOException {
    this.services = services;
    this.options = options;
    String name = "bench-first-" + ProcessHandle.current().pid();
    lab = Lab.up(Lab.runDirectory(), name, "node", "client", "server");
    node = lab.node("node");
    try {
      Batch batch = new Batch();
      batch.sysctl(node, "net.ipv4.ip_forward=0");
      batch.ip(node, "address add " + GATEWAY + "/32 dev lo scope host");
      pod(batch, "client", CLIENTS);
      pod(batch, "server", SERVER);
      batch.run();
      packets =
          new FirstPackets(
              lab.node("client"), CLIENTS, lab.node("server"), address(SERVER), address(FRONT));
    } catch (IOException | RuntimeException e) {
      lab.down();
      throw e;
    }
  }

  private static InetSocketAddress address(String literal) {
    return new InetSocketAddress(InetAddress.ofLiteral(literal), PORT);
  }

  private void pod(Batch batch, String name, String... addresses) {
    String device = "cali-" + name;
    Node pod = lab.node(name);
    batch.ip(node, "link add " + device + " type veth peer name eth0 netns " + pod.namespace());
    batch.ip(node, "link set " + device + " up");
    for (String address : addresses) {
      batch.ip(node, "route add " + address + "/32 dev " + device);
      batch.ip(pod, "address add " + address + "/32 dev eth0");
    }
    batch.ip(pod, "link set eth0 up");
    batch.ip(pod, "route add default via " + GATEWAY + " dev eth0 onlink");
  }

  /** What both sides have in common. */
  private abstract class Side implements Alternation.Side {
    @Override
    public final double[] measure() throws IOException {
      long before = KernelForwarding.packets(node);
      FirstPackets.Times times = packets.measure(options.quick() ? QUICK_FLOWS : FLOWS);
      checkWhoForwarded(KernelForwarding.packets(node) - before);
      return new double[] {
        FirstPackets.Times.quantile(times.first(), 0.5),
        FirstPackets.Times.quantile(times.first(), 0.99),
        FirstPackets.Times.quantile(times.second(), 0.5),
        FirstPackets.Times.quantile(times.second(), 0.99),
        FirstPackets.Times.quantile(times.added(), 0.5),
        FirstPackets.Times.quantile(times.added(), 0.99)
      };
    }

    final void warmUp() throws IOException {
      packets.measure(options.quick() ? QUICK_WARM_UP : WARM_UP);
    }

    abstract void checkWhoForwarded(long byKernel);
  }

  /** The daemon; compiled before it is measured. */
  Alternation.Side gatun(NodeDataplane dataplane) throws IOException {
    Path directory = Files.createDirectories(node.runDirectory());
    Path config = Files.writeString(directory.resolve("gatun.yaml"), configuration());
    Path manifests = Files.createDirectories(directory.resolve("manifests"));
    try (BareTables tables = new BareTables()) {
      List<byte[]> lists = new LargeCluster(services, ENDPOINTS, tables.services).lists();
      Files.write(manifests.resolve("services.yaml"), lists.getFirst());
      Files.write(manifests.resolve("slices.yaml"), lists.getLast());
    }
    Files.write(manifests.resolve("echo.yaml"), ASKED.service());
    Files.write(manifests.resolve("echo-slice.yaml"), ASKED.slice());
    return new Side() {
      private NodeDataplane.@Nullable Running running;

      @Override
      public void enter() throws IOException {
        running = dataplane.start(node, config, manifests);
        running.awaitReady(PATIENCE);
        warmUp();
        if (!options.quick()) {
          // They take a tenth of the core that client and server share.
          DaemonProcess.of(running).awaitCompilers(() -> packets.measure(ROUND), MOST_ROUNDS);
        }
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
    };
  }

  private String configuration() {
    return """
    apiVersion: gatun.io/v1alpha1
    kind: GatunConfiguration
    node: node
    nodeAddresses: [10.1.0.1]
    serviceCIDRs: [10.96.0.0/12]
    interfaces:
      - {name: "cali*", role: pod, driver: %s}
    workers: {count: 1, cpus: [%d], idle: adaptive}
    kernel: {mirror: true}
    podNetworks: [10.1.0.0/16]
    """
        .formatted(options.driver(), VethPath.FORWARDER_CPU);
  }

  /** The kernel, warm as well. */
  Alternation.Side kernel() throws IOException {
    String rules = rules();
    return new Side() {
      @Override
      public void enter() throws IOException {
        node.sysctl("net.ipv4.ip_forward", "1");
        node.command("nft", "-f", "-").reading(rules).within(PATIENCE).run().orThrow();
        warmUp();
      }

      @Override
      void checkWhoForwarded(long byKernel) {
        KernelForwarding.expectSome(byKernel);
      }

      @Override
      public void leave() throws IOException {
        node.command("nft", "delete", "table", "ip", "kube-proxy").within(PATIENCE).run().orThrow();
        node.sysctl("net.ipv4.ip_forward", "0");
      }
    };
  }

  private String rules() throws IOException {
    try (BareTables tables = new BareTables()) {
      LargeCluster cluster = new LargeCluster(services, ENDPOINTS, tables.services);
      cluster.load(cluster.lists());
      cluster.apply(ASKED.service());
      cluster.apply(ASKED.slice());
      List<Prefix> pods = List.of(new Prefix(InetAddress.ofLiteral("10.1.0.0"), 16));
      return new KubeProxyRules(false, "kube-proxy", pods).all(cluster.fronts().fronts());
    }
  }

  String name() {
    return lab.name();
  }

  void close() throws IOException {
    packets.close();
    lab.down();
  }
}
