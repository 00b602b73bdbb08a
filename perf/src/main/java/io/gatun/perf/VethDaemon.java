package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The whole daemon; by itself with one Service, whose endpoint is the sink. */
final class VethDaemon extends VethSide {
  static final String CLUSTER_IP = "10.96.0.53";
  static final int CLUSTER_IP_BITS = 0x0A600035;
  static final int PORT = 53;
  static final String POD_NETWORK = "10.0.0.0/14";

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final NodeDataplane dataplane;
  private final Inputs inputs;
  private final double warmUp;
  private NodeDataplane.@Nullable Running running;

  /** With ports of that driver. */
  VethDaemon(VethPath path, Load load, NodeDataplane dataplane, String driver, double warmUp)
      throws IOException {
    this(path, List.of(load), dataplane, files(path, driver, 0), warmUp);
  }

  /** {@code warmUp} seconds of all loads after each start. */
  VethDaemon(
      VethPath path, List<Load> loads, NodeDataplane dataplane, Inputs inputs, double warmUp) {
    super(path, loads);
    this.dataplane = dataplane;
    this.inputs = inputs;
    this.warmUp = warmUp;
  }

  /** What a daemon is told. */
  record Inputs(Path config, Path manifests) {}

  /**
   * Writes them.
   *
   * @param driver of both ports
   * @param more Services to nobody, beside the one
   */
  static Inputs files(VethPath path, String driver, int more) throws IOException {
    Path directory = Files.createDirectories(path.node().runDirectory());
    Path config = directory.resolve("gatun.yaml");
    Files.writeString(config, configuration(driver));
    Path manifests = Files.createDirectories(directory.resolve("manifests"));
    StringBuilder text = new StringBuilder(service("dns", CLUSTER_IP, VethPath.SINK_ADDRESS));
    for (int i = 0; i < more; i++) {
      String address = "10.96.%d.%d".formatted(1 + i / 250, 1 + i % 250);
      text.append("---\n")
          .append(service("other-" + i, address, "10.3.%d.%d".formatted(i / 250, 1 + i % 250)));
    }
    Files.writeString(manifests.resolve("services.yaml"), text);
    return new Inputs(config, manifests);
  }

  /** Two pods' ports of that driver, and a worker with a core of its own. */
  static String configuration(String driver) {
    return """
    apiVersion: gatun.io/v1alpha1
    kind: GatunConfiguration
    node: node
    nodeAddresses: [10.1.0.1]
    serviceCIDRs: [10.96.0.0/12]
    interfaces:
      - {name: %1$s, role: pod, driver: %3$s}
      - {name: %2$s, role: pod, driver: %3$s}
    workers: {count: 1, cpus: [%4$d], idle: adaptive}
    kernel: {mirror: true}
    podNetworks: [%5$s]
    """
        .formatted(VethPath.IN, VethPath.OUT, driver, VethPath.FORWARDER_CPU, POD_NETWORK);
  }

  private static String service(String name, String address, String endpoint) {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: %4$s, namespace: default}
    spec:
      type: ClusterIP
      clusterIP: %1$s
      clusterIPs: [%1$s]
      ipFamilies: [IPv4]
      ipFamilyPolicy: SingleStack
      internalTrafficPolicy: Cluster
      sessionAffinity: None
      selector: {app: %4$s}
      ports:
        - {name: dns, protocol: UDP, port: %2$d, targetPort: %2$d}
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata:
      name: %4$s-ipv4
      namespace: default
      labels: {kubernetes.io/service-name: %4$s}
    addressType: IPv4
    ports:
      - {name: dns, protocol: UDP, port: %2$d}
    endpoints:
      - addresses: ["%3$s"]
        nodeName: node
        conditions: {ready: true, serving: true, terminating: false}
    """
        .formatted(address, PORT, endpoint, name);
  }

  @Override
  public void enter() throws IOException {
    running = dataplane.start(path.node(), inputs.config, inputs.manifests);
    running.awaitReady(PATIENCE);
    send(warmUp);
  }

  @Override
  public void leave() throws IOException {
    if (running != null) {
      running.stop();
      running = null;
    }
  }
}
