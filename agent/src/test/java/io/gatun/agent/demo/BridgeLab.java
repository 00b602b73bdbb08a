package io.gatun.agent.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A node whose pods are attached by Debian's CNI plugins {@code bridge} and {@code host-local},
 * unmodified, and Gatun on it.
 *
 * <pre>
 *   p0 10.88.0.2 ── veth… ┐
 *   p1 10.88.0.3 ── veth… ┤ cni0 10.88.0.1, node
 *   …                     ┘
 * </pre>
 */
final class BridgeLab implements AutoCloseable {
  static final int PORT = 8080;

  /** A Service's address; its endpoint is the second pod. */
  static final String FRONT = "10.96.8.8";

  private static final Path PLUGINS = Path.of("/usr/lib/cni");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Lab lab;
  private final Node node;
  private final Path script;
  private final Path manifests;

  private BridgeLab(Lab lab, Path script, Path manifests) {
    this.lab = lab;
    this.node = lab.node("node");
    this.script = script;
    this.manifests = manifests;
  }

  static boolean hasPlugins() {
    return Files.isExecutable(PLUGINS.resolve("bridge"));
  }

  /** {@code pods} namespaces, of which none is attached yet. */
  static BridgeLab up(Path runDirectory, String name, int pods) throws IOException {
    List<String> names = new ArrayList<>(List.of("node"));
    for (int i = 0; i < pods; i++) {
      names.add("p" + i);
    }
    Lab lab = Lab.up(runDirectory, name, names.toArray(String[]::new));
    try {
      Path script = lab.directory().resolve("pingpong.py");
      try (InputStream resource = BridgeLab.class.getResourceAsStream("pingpong.py")) {
        Files.copy(Objects.requireNonNull(resource), script);
      }
      return new BridgeLab(
          lab, script, Files.createDirectories(lab.directory().resolve("objects")));
    } catch (IOException | RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  Node node() {
    return node;
  }

  Node pod(int number) {
    return lab.node("p" + number);
  }

  /** What the plugin says to {@code verb}: ADD, CHECK or DEL. */
  JsonNode cni(String verb, int pod, String previous) throws IOException {
    String config =
        """
        {"cniVersion": "0.4.0", "name": "pods", "type": "bridge", "bridge": "cni0",
         "isGateway": true, "ipMasq": false, "hairpinMode": false%s,
         "ipam": {"type": "host-local", "dataDir": "%s",
                  "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}}
        """
            .formatted(
                previous.isEmpty() ? "" : ", \"prevResult\": " + previous,
                lab.directory().resolve("host-local"));
    List<String> words =
        node.enter(
            "env",
            "CNI_COMMAND=" + verb,
            "CNI_CONTAINERID=" + lab.prefix() + pod,
            "CNI_NETNS=" + pod(pod).path(),
            "CNI_IFNAME=eth0",
            "CNI_PATH=" + PLUGINS,
            PLUGINS.resolve("bridge").toString());
    Command.Outcome outcome =
        Command.of(words).reading(config).within(Duration.ofSeconds(60)).run();
    if (!outcome.succeeded()) {
      throw new IOException(verb + " of pod " + pod + ": " + outcome.output() + outcome.errors());
    }
    return JSON.readTree(outcome.output().isBlank() ? "{}" : outcome.output());
  }

  JsonNode json(String text) throws IOException {
    return JSON.readTree(text);
  }

  /** Attaches a pod; its address. */
  String attach(int pod) throws IOException {
    return address(cni("ADD", pod, ""));
  }

  static String address(JsonNode added) {
    return added.get("ips").get(0).get("address").asText().replaceAll("/.*", "");
  }

  /** The pod's interface on the node. */
  static String device(JsonNode added) {
    for (JsonNode each : added.get("interfaces")) {
      if (each.get("name").asText().startsWith("veth")) {
        return each.get("name").asText();
      }
    }
    throw new IllegalStateException("no veth: " + added);
  }

  /** With the given driver for the pods' ports. */
  GatunProcess gatun(String driver) throws IOException {
    return Configured.start(
        node,
        """
        apiVersion: gatun.io/v1alpha1
        kind: GatunConfiguration
        node: node
        interfaces:
          - {name: "veth*", role: pod, driver: %s}
        serviceCIDRs: [10.96.0.0/16]
        workers: {count: 1, idle: adaptive}
        """
            .formatted(driver),
        manifests);
  }

  /** A Service to {@code endpoint}. */
  void service(String endpoint) throws IOException {
    Files.writeString(
        manifests.resolve("echo.yaml"),
        """
        apiVersion: v1
        kind: Service
        metadata: {name: echo, namespace: default}
        spec:
          type: ClusterIP
          clusterIP: %1$s
          clusterIPs: [%1$s]
          ports:
            - {name: tcp, protocol: TCP, port: %2$d, targetPort: %2$d}
            - {name: udp, protocol: UDP, port: %2$d, targetPort: %2$d}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: echo-1
          namespace: default
          labels: {kubernetes.io/service-name: echo}
        addressType: IPv4
        ports:
          - {name: tcp, protocol: TCP, port: %2$d}
          - {name: udp, protocol: UDP, port: %2$d}
        endpoints:
          - addresses: ["%3$s"]
            nodeName: node
            conditions: {ready: true, serving: true, terminating: false}
        """
            .formatted(FRONT, PORT, endpoint));
  }

  void ip(String arguments) throws IOException {
    node.ip(arguments);
  }

  void bridge(String arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of("bridge"));
    words.addAll(List.of(arguments.split(" ", -1)));
    node.exec(words.toArray(String[]::new)).orThrow();
  }

  void serve(int pod) throws IOException {
    pod(pod).spawn("serve", words("serve", Integer.toString(PORT)));
    pod(pod).awaitListening(PORT);
  }

  /** Runs pingpong.py in a pod; what it printed. */
  String run(int pod, Duration patience, String... arguments) throws IOException {
    Command.Outcome outcome =
        Command.of(pod(pod).enter(words(arguments))).within(patience).run().orThrow();
    return outcome.output().strip() + outcome.errors();
  }

  String[] words(String... arguments) {
    String[] words = new String[arguments.length + 2];
    words[0] = Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3";
    words[1] = script.toString();
    System.arraycopy(arguments, 0, words, 2, arguments.length);
    return words;
  }

  /** Output of so many pings, answered or not. */
  String ping(int pod, String address, int count, String interval) throws IOException {
    return pod(pod)
        .command("ping", "-n", "-i", interval, "-c", "" + count, "-W", "1", address)
        .within(Duration.ofSeconds(90))
        .run()
        .output();
  }

  static JsonNode ask(GatunProcess gatun, String report) throws IOException {
    return AdminClient.ask(gatun.runDirectory().socket(), report);
  }

  @Override
  public void close() throws IOException {
    lab.close();
  }
}
