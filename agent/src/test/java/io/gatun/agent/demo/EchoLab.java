package io.gatun.agent.demo;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Launcher;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;

/**
 * Two nodes, Gatun on the first, only the kernel on the second, and Services to a pod on the second
 * that sends everything back: for what translation does to real sockets.
 */
final class EchoLab implements AutoCloseable {
  /** The Service's port, on all of its addresses. */
  static final int PORT = 80;

  /** The pod's. */
  static final int TARGET = 8080;

  /** Addresses of the Services {@code echo-0} to {@code echo-4}, all to the one pod. */
  static final List<String> FRONTS =
      List.of("10.96.1.0", "10.96.1.1", "10.96.1.2", "10.96.1.3", "10.96.1.4");

  static final String FRONT6 = "fd00:96::1:0";

  private static final Duration READY = Duration.ofSeconds(60);

  private final TwoNodes topology;
  private final Path manifests;
  private final Path script;

  private EchoLab(TwoNodes topology, Path manifests, Path script) {
    this.topology = topology;
    this.manifests = manifests;
    this.script = script;
  }

  static EchoLab up(Path runDirectory, String name) throws IOException {
    TwoNodes topology = TwoNodes.up(runDirectory, name);
    try {
      Path folder = Files.createDirectories(topology.lab().directory().resolve("manifests"));
      Path script = topology.lab().directory().resolve("sockets.py");
      try (InputStream resource = EchoLab.class.getResourceAsStream("sockets.py")) {
        Files.copy(java.util.Objects.requireNonNull(resource), script);
      }
      EchoLab lab = new EchoLab(topology, folder, script);
      lab.writeServices();
      Node other = topology.nodeB();
      other.sysctl("net.ipv4.ip_forward", "1");
      other.sysctl("net.ipv6.conf.all.forwarding", "1");
      return lab;
    } catch (IOException | RuntimeException e) {
      topology.close();
      throw e;
    }
  }

  TwoNodes topology() {
    return topology;
  }

  Pod client() {
    return topology.pod("client-a");
  }

  Pod server() {
    return topology.pod("web-2");
  }

  /** Starts Gatun on the first node; {@code more} are further lines of its configuration. */
  GatunProcess gatun(String more, String... words) throws IOException {
    Path config = configuration(more, "xdp");
    GatunProcess gatun =
        words.length == 0
            ? GatunProcess.start(topology.nodeA(), config, manifests)
            : GatunProcess.start(topology.nodeA(), config, manifests, List.of(words));
    gatun.awaitReady(READY);
    return gatun;
  }

  /** The same by the launcher, as an operator would, and with {@code driver}. */
  GatunProcess supervised(String more, String driver) throws IOException {
    GatunProcess gatun =
        Launcher.start(topology.nodeA(), configuration(more, driver), manifests, List.of());
    gatun.awaitReady(READY);
    return gatun;
  }

  private Path configuration(String more, String driver) throws IOException {
    Path config = Cluster.writeConfiguration(topology, topology.nodeA(), driver, driver);
    return Files.writeString(config, more, StandardOpenOption.APPEND);
  }

  /** Starts the servers, TCP and UDP, in the pod. */
  void serve() throws IOException {
    server().node().spawn("serve", words("serve", Integer.toString(TARGET)));
    server().node().awaitListening(TARGET);
  }

  /** Runs the script in the client's namespace; what it printed, or what it complained of. */
  String client(Duration patience, String... arguments) throws IOException {
    return Command.of(client().node().enter(words(arguments)))
        .within(patience)
        .run()
        .orThrow()
        .output()
        .strip();
  }

  String[] words(String... arguments) {
    String[] words = new String[arguments.length + 2];
    words[0] = Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3";
    words[1] = script.toString();
    System.arraycopy(arguments, 0, words, 2, arguments.length);
    return words;
  }

  private void writeServices() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < FRONTS.size(); i++) {
      boolean both = i == 0;
      text.append(
          """
          ---
          apiVersion: v1
          kind: Service
          metadata: {name: echo-%1$d, namespace: default}
          spec:
            type: ClusterIP
            clusterIP: %2$s
            clusterIPs: [%2$s%3$s]
            ipFamilies: [IPv4%4$s]
            ipFamilyPolicy: PreferDualStack
            ports:
              - {name: tcp, protocol: TCP, port: %5$d, targetPort: %6$d}
              - {name: udp, protocol: UDP, port: %5$d, targetPort: %6$d}
          """
              .formatted(
                  i,
                  FRONTS.get(i),
                  both ? ", \"" + FRONT6 + "\"" : "",
                  both ? ", IPv6" : "",
                  PORT,
                  TARGET));
      text.append(slice(i, "IPv4", server().address()));
      if (both) {
        text.append(slice(i, "IPv6", server().address6()));
      }
    }
    Files.writeString(manifests.resolve("echo.yaml"), text);
  }

  private static String slice(int service, String family, String address) {
    return """
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata:
      name: echo-%1$d-%2$s
      namespace: default
      labels: {kubernetes.io/service-name: echo-%1$d}
    addressType: %2$s
    ports:
      - {name: tcp, protocol: TCP, port: %4$d}
      - {name: udp, protocol: UDP, port: %4$d}
    endpoints:
      - addresses: ["%3$s"]
        nodeName: node-b
        conditions: {ready: true, serving: true, terminating: false}
    """
        .formatted(service, family, address, TARGET);
  }

  @Override
  public void close() throws IOException {
    topology.close();
  }
}
