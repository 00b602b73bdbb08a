package io.gatun.lab.demo;

import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * The Services of the demonstration as files: a configuration a node, and manifests as {@code
 * kubectl get -o yaml} would print them; stateless.
 */
public final class Cluster {

  /** ClusterIP of the Service {@code web}, port 80 and NodePort 30080, endpoints web-1, web-2. */
  public static final String WEB = "10.96.0.80";

  public static final String WEB6 = "fd00:96::80";
  public static final int WEB_NODE_PORT = 30080;

  /** ClusterIP of {@code dns}, UDP 53. */
  public static final String DNS = "10.96.0.53";

  /** ClusterIP of {@code stream}, TCP 5201 (iperf3). */
  public static final String STREAM = "10.96.0.201";

  /** ClusterIP of {@code bulk}, TCP 9000 ({@link Transfer}). */
  public static final String BULK = "10.96.0.202";

  public static final int BULK_PORT = 9000;

  /** The port of the web pods: not the Service's, so that ports are translated too. */
  static final int WEB_TARGET = 8080;

  private Cluster() {}

  /** Writes {@code gatun.yaml} into the node's run directory. */
  public static Path writeConfiguration(TwoNodes topology, Node node) throws IOException {
    return writeConfiguration(topology, node, "xdp");
  }

  /** The same with another driver for the pods' interfaces. */
  public static Path writeConfiguration(TwoNodes topology, Node node, String podDriver)
      throws IOException {
    return writeConfiguration(topology, node, podDriver, "xdp");
  }

  /** The same with another driver for the way out, too. */
  public static Path writeConfiguration(
      TwoNodes topology, Node node, String podDriver, String uplinkDriver) throws IOException {
    String text =
        """
        apiVersion: gatun.io/v1alpha1
        kind: GatunConfiguration
        node: %s
        nodeAddresses: [%s, "%s"]
        serviceCIDRs: [10.96.0.0/16, "fd00:96::/112"]
        interfaces:
          - {name: eth0, role: uplink, driver: %s}
          - {name: "cali*", role: pod, driver: %s}
        workers: {count: 1, idle: adaptive}
        kernel: {mirror: true}
        podNetworks: [%s, "%s"]
        """
            .formatted(
                node.name(),
                topology.address(node),
                topology.address6(node),
                uplinkDriver,
                podDriver,
                TwoNodes.POD_NETWORK,
                TwoNodes.POD_NETWORK6);
    Files.createDirectories(node.runDirectory());
    return Files.writeString(node.runDirectory().resolve("gatun.yaml"), text);
  }

  /** Writes all Services and EndpointSlices into a folder, which both nodes watch. */
  public static Path writeManifests(TwoNodes topology) throws IOException {
    Path folder = folder(topology);
    writeWeb(topology, List.of(topology.pod("web-1"), topology.pod("web-2")));
    List<Pod> dns = List.of(topology.pod("dns"));
    List<Pod> stream = List.of(topology.pod("stream"));
    Files.writeString(
        folder.resolve("dns.yaml"),
        service("dns", DNS, "dns", "UDP", 53) + slice("dns", "dns", "UDP", 53, dns, false));
    Files.writeString(
        folder.resolve("stream.yaml"),
        service("stream", STREAM, "iperf", "TCP", 5201)
            + slice("stream", "iperf", "TCP", 5201, stream, false));
    Files.writeString(
        folder.resolve("bulk.yaml"),
        service("bulk", BULK, "bulk", "TCP", BULK_PORT)
            + slice("bulk", "bulk", "TCP", BULK_PORT, stream, false));
    return folder;
  }

  /** Replaces the Service {@code web}, with these endpoints in its slices. */
  public static void writeWeb(TwoNodes topology, List<Pod> pods) throws IOException {
    String webService =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: default}
        spec:
          type: NodePort
          clusterIP: %1$s
          clusterIPs: [%1$s, "%2$s"]
          ipFamilies: [IPv4, IPv6]
          ipFamilyPolicy: RequireDualStack
          externalTrafficPolicy: Cluster
          internalTrafficPolicy: Cluster
          sessionAffinity: None
          selector: {app: web}
          ports:
            - {name: http, protocol: TCP, port: 80, targetPort: %3$d, nodePort: %4$d}
        """
            .formatted(WEB, WEB6, WEB_TARGET, WEB_NODE_PORT);
    // Renamed into place: who watches the folder sees the old file or the new one, never a half.
    Path folder = folder(topology);
    Path draft =
        Files.writeString(
            folder.resolve(".web.yaml.new"),
            webService
                + slice("web", "http", "TCP", WEB_TARGET, pods, false)
                + slice("web", "http", "TCP", WEB_TARGET, pods, true));
    Files.move(draft, folder.resolve("web.yaml"), StandardCopyOption.ATOMIC_MOVE);
  }

  private static Path folder(TwoNodes topology) throws IOException {
    return Files.createDirectories(topology.lab().directory().resolve("manifests"));
  }

  private static String service(String name, String ip, String port, String protocol, int number) {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: %1$s, namespace: default}
    spec:
      type: ClusterIP
      clusterIP: %2$s
      clusterIPs: [%2$s]
      ipFamilies: [IPv4]
      ipFamilyPolicy: SingleStack
      internalTrafficPolicy: Cluster
      sessionAffinity: None
      selector: {app: %1$s}
      ports:
        - {name: %3$s, protocol: %4$s, port: %5$d, targetPort: %5$d}
    """
        .formatted(name, ip, port, protocol, number);
  }

  private static String slice(
      String service, String port, String protocol, int number, List<Pod> pods, boolean ipv6) {
    var text =
        new StringBuilder(
            """
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: %1$s-%2$s
              namespace: default
              labels: {kubernetes.io/service-name: %1$s}
            addressType: %3$s
            ports:
              - {name: %4$s, protocol: %5$s, port: %6$d}
            endpoints:
            """
                .formatted(
                    service,
                    ipv6 ? "ipv6" : "ipv4",
                    ipv6 ? "IPv6" : "IPv4",
                    port,
                    protocol,
                    number));
    for (Pod pod : pods) {
      text.append(
          """
            - addresses: ["%s"]
              nodeName: %s
              conditions: {ready: true, serving: true, terminating: false}
          """
              .formatted(ipv6 ? pod.address6() : pod.address(), pod.host().name()));
    }
    return text.toString();
  }
}
