package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The whole daemon with one Service, whose endpoint is the sink. */
final class VethDaemon extends VethSide {
  static final String CLUSTER_IP = "10.96.0.53";
  static final int CLUSTER_IP_BITS = 0x0A600035;
  static final int PORT = 53;
  static final String POD_NETWORK = "10.0.0.0/14";

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final NodeDataplane dataplane;
  private final double warmUp;
  private final Path config;
  private final Path manifests;
  private NodeDataplane.@Nullable Running running;

  VethDaemon(VethPath path, Load load, NodeDataplane dataplane, double warmUp) throws IOException {
    super(path, load);
    this.dataplane = dataplane;
    this.warmUp = warmUp;
    Path directory = Files.createDirectories(path.node().runDirectory());
    config = Files.writeString(directory.resolve("gatun.yaml"), configuration());
    manifests = Files.createDirectories(directory.resolve("manifests"));
    Files.writeString(manifests.resolve("dns.yaml"), service());
  }

  private static String configuration() {
    return """
    apiVersion: gatun.io/v1alpha1
    kind: GatunConfiguration
    node: node
    nodeAddresses: [10.1.0.1]
    serviceCIDRs: [10.96.0.0/16]
    interfaces:
      - {name: %s, role: pod, driver: xdp}
      - {name: %s, role: pod, driver: xdp}
    workers: {count: 1, cpus: [%d], idle: adaptive}
    kernel: {mirror: true}
    podNetworks: [%s]
    """
        .formatted(VethPath.IN, VethPath.OUT, VethPath.FORWARDER_CPU, POD_NETWORK);
  }

  private static String service() {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: dns, namespace: default}
    spec:
      type: ClusterIP
      clusterIP: %1$s
      clusterIPs: [%1$s]
      ipFamilies: [IPv4]
      ipFamilyPolicy: SingleStack
      internalTrafficPolicy: Cluster
      sessionAffinity: None
      selector: {app: dns}
      ports:
        - {name: dns, protocol: UDP, port: %2$d, targetPort: %2$d}
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata:
      name: dns-ipv4
      namespace: default
      labels: {kubernetes.io/service-name: dns}
    addressType: IPv4
    ports:
      - {name: dns, protocol: UDP, port: %2$d}
    endpoints:
      - addresses: ["%3$s"]
        nodeName: node
        conditions: {ready: true, serving: true, terminating: false}
    """
        .formatted(CLUSTER_IP, PORT, VethPath.SINK_ADDRESS);
  }

  @Override
  public void enter() throws IOException {
    running = dataplane.start(path.node(), config, manifests);
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
