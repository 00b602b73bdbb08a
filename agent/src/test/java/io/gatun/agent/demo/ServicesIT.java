package io.gatun.agent.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every kind of front under every policy with real sockets, Gatun on the first node: which servers
 * answer, whom they see as their client, and that {@code explain} had said so.
 */
class ServicesIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int CONNECTIONS = 24;

  private TwoNodes topology;
  private Path manifests;
  private Path script;

  @SuppressWarnings("NullAway.Init") // each test starts it after writing its manifests
  private GatunProcess gatun;

  @BeforeAll
  static void machine() {
    Machine.fit("python3", "ss");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws Exception {
    topology = TwoNodes.up(runDirectory, "services");
    manifests = Files.createDirectories(topology.lab().directory().resolve("manifests"));
    script = topology.lab().directory().resolve("whoami.py");
    try (InputStream resource = ServicesIT.class.getResourceAsStream("whoami.py")) {
      Files.copy(Objects.requireNonNull(resource), script);
    }
    Node other = topology.nodeB();
    other.sysctl("net.ipv4.ip_forward", "1");
    other.sysctl("net.ipv6.conf.all.forwarding", "1");
    for (String network : List.of("10.96.0.0/16", "198.51.100.0/24", "203.0.113.0/24")) {
      topology.outside().exec("ip", "route", "add", network, "via", "192.168.0.11").orThrow();
    }
    for (String network : List.of("fd00:96::/96", "2001:db8:e::/48")) {
      topology
          .outside()
          .exec("ip", "-6", "route", "add", network, "via", topology.address6(topology.nodeA()))
          .orThrow();
    }
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  private void start() throws IOException {
    Path config = Cluster.writeConfiguration(topology, topology.nodeA());
    Files.writeString(
        config,
        "proxy: {detectLocalMode: ClusterCIDR, clusterCIDR: '10.244.0.0/16,fd00:244::/32'}\n",
        StandardOpenOption.APPEND);
    gatun = GatunProcess.start(topology.nodeA(), config, manifests);
    gatun.awaitReady(PATIENCE);
  }

  private void serve(String pod, String... ports) throws Exception {
    List<String> words = new ArrayList<>(List.of("serve", pod));
    words.addAll(List.of(ports));
    Node node = topology.pod(pod).node();
    node.spawn("serve", words(words.toArray(new String[0])));
    for (int k = 0; k < 400; k++) {
      if (node.exec("ss", "-Hlnt").output().contains(":" + ports[ports.length - 1] + " ")) {
        return;
      }
      Thread.sleep(50);
    }
    throw new IOException("nobody listens in " + pod);
  }

  private String[] words(String... arguments) {
    String[] words = new String[arguments.length + 2];
    words[0] = Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3";
    words[1] = script.toString();
    System.arraycopy(arguments, 0, words, 2, arguments.length);
    return words;
  }

  private String run(Node client, String... arguments) throws IOException {
    return Command.of(client.enter(words(arguments)))
        .within(PATIENCE)
        .run()
        .orThrow()
        .output()
        .strip();
  }

  private static String service(String name, int last, boolean local, String more) {
    String policy = local ? "Local" : "Cluster";
    return """
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: %1$s, namespace: default}
    spec:
      type: LoadBalancer
      clusterIP: 10.96.2.%2$d
      clusterIPs: [10.96.2.%2$d, "fd00:96::2:%2$d"]
      externalIPs: [198.51.100.%2$d, "2001:db8:e::%2$d"]
      externalTrafficPolicy: %3$s
      internalTrafficPolicy: %3$s
      %4$s
      ports:
        - {name: t, protocol: TCP, port: 80, nodePort: %5$d}
        - {name: u, protocol: UDP, port: 80, nodePort: %5$d}
    status: {loadBalancer: {ingress: [{ip: 203.0.113.%2$d}, {ip: "2001:db8:e:f::%2$d"}]}}
    """
        .formatted(name, last, policy, more, 30_000 + last);
  }

  private String slices(String service, int target, List<String> pods) {
    StringBuilder text = new StringBuilder();
    for (boolean six : new boolean[] {false, true}) {
      text.append(
          """
          ---
          apiVersion: discovery.k8s.io/v1
          kind: EndpointSlice
          metadata: {name: %1$s-%2$s, namespace: default, labels: {kubernetes.io/service-name: %1$s}}
          addressType: IPv%2$s
          ports: [{name: t, protocol: TCP, port: %3$d}, {name: u, protocol: UDP, port: %3$d}]
          endpoints:
          """
              .formatted(service, six ? "6" : "4", target));
      for (String name : pods) {
        Pod pod = topology.pod(name);
        text.append(
            "  - {addresses: [\"%s\"], nodeName: %s}\n"
                .formatted(six ? pod.address6() : pod.address(), pod.host().name()));
      }
    }
    return text.toString();
  }

  /** Who answers, and whom they see: "web-1 10.0.0.1" each. */
  private Set<String> answers(Node client, String protocol, String address, int port)
      throws IOException {
    Set<String> answers = new TreeSet<>();
    run(client, "ask", protocol, address, Integer.toString(port), Integer.toString(CONNECTIONS))
        .lines()
        .forEach(line -> answers.add(line.replaceFirst(" 8080 ", " ")));
    return answers;
  }

  private JsonNode explain(String protocol, String src, String dst, int port, String in)
      throws IOException {
    String flow =
        """
        explain [{"id":"a","protocol":"%s","src":"%s","dst":"%s","dstPort":%d%s}]\
        """
            .formatted(
                protocol.toUpperCase(java.util.Locale.ROOT),
                src,
                dst,
                port,
                in.isEmpty() ? "" : ",\"in\":\"" + in + "\"");
    return AdminClient.ask(gatun.runDirectory().socket(), flow).get(0);
  }

  private final List<String> wrong = new ArrayList<>();

  private void check(
      String what,
      Node client,
      String source,
      String in,
      String protocol,
      String address,
      int port,
      boolean both,
      String seen)
      throws IOException {
    Set<String> expected = new TreeSet<>();
    expected.add("web-1 " + seen);
    if (both) {
      expected.add("web-2 " + seen);
    }
    Set<String> got = answers(client, protocol, address, port);
    JsonNode said = explain(protocol, source, address, port, in);
    if (!got.equals(expected)
        || said.path("candidates").size() != expected.size()
        || said.path("masquerade").asBoolean() == seen.equals(source)) {
      wrong.add(
          "%s %s to %s:%d: expected %s, got %s, explain %s"
              .formatted(what, protocol, address, port, expected, got, said));
    }
  }

  @Test
  void shouldServeEveryFrontUnderEveryPolicy() throws Exception {
    serve("web-1", "8080");
    serve("web-2", "8080");
    Files.writeString(
        manifests.resolve("all.yaml"),
        service("cluster", 1, false, "")
            + slices("cluster", 8080, List.of("web-1", "web-2"))
            + service("local", 2, true, "")
            + slices("local", 8080, List.of("web-1", "web-2"))
            + service("ranged", 3, false, "loadBalancerSourceRanges: [10.0.0.0/8, 'fd00::/8']")
            + slices("ranged", 8080, List.of("web-1", "web-2"))
            + service("empty", 4, false, "")
            + service("elsewhere", 5, true, "")
            + slices("elsewhere", 8080, List.of("web-2"))
            + service("sticky", 6, false, "sessionAffinity: ClientIP")
            + slices("sticky", 8080, List.of("web-1", "web-2")));
    start();
    Pod pod = topology.pod("client-a");
    Node outside = topology.outside();
    for (boolean six : new boolean[] {false, true}) {
      String node = six ? topology.address6(topology.nodeA()) : topology.address(topology.nodeA());
      String podIs = six ? pod.address6().replaceFirst("(:0)+:", "::") : pod.address();
      String outsideIs = six ? topology.address6(outside) : topology.address(outside);
      for (String protocol : List.of("tcp", "udp")) {
        for (boolean local : new boolean[] {false, true}) {
          int n = local ? 2 : 1;
          String cluster = six ? "fd00:96::2:" + n : "10.96.2." + n;
          String external = six ? "2001:db8:e::" + n : "198.51.100." + n;
          String balancer = six ? "2001:db8:e:f::" + n : "203.0.113." + n;
          check("pod", pod.node(), podIs, "caliclient-a", protocol, cluster, 80, !local, podIs);
          check("outside", outside, outsideIs, "eth0", protocol, cluster, 80, !local, node);
          for (String address : List.of(external, balancer, node)) {
            int port = address.equals(node) ? 30_000 + n : 80;
            check(
                "pod",
                pod.node(),
                podIs,
                "caliclient-a",
                protocol,
                address,
                port,
                true,
                local ? podIs : node);
            check(
                "outside",
                outside,
                outsideIs,
                "eth0",
                protocol,
                address,
                port,
                !local,
                local ? outsideIs : node);
          }
        }
      }
    }
    assertEquals(List.of(), wrong);
    assertEquals(Set.of("timeout"), few(outside, "203.0.113.3", 80));
    assertEquals(2, answers(outside, "tcp", "192.168.0.11", 30_003).size());
    assertEquals(Set.of("refused"), few(pod.node(), "10.96.2.4", 80));
    assertEquals(Set.of("refused"), few(outside, "192.168.0.11", 30_004));
    assertEquals(Set.of("timeout"), few(outside, "192.168.0.11", 30_005));
    assertEquals(1, answers(pod.node(), "tcp", "10.96.2.5", 80).size());
    assertEquals(Set.of("refused"), few(pod.node(), "10.96.2.1", 81));
    assertEquals(1, answers(pod.node(), "tcp", "10.96.2.6", 80).size());
    assertEquals(
        answers(pod.node(), "tcp", "10.96.2.6", 80).iterator().next().substring(0, 5),
        answers(pod.node(), "tcp", "198.51.100.6", 80).iterator().next().substring(0, 5));
    pod.node().exec("ping", "-c", "3", "-i", "0.2", "10.96.2.1").orThrow();
  }

  private Set<String> few(Node client, String address, int port) throws IOException {
    return Set.of(run(client, "ask", "tcp", address, Integer.toString(port), "1"));
  }

  /** Issue 6: 5,000 random changes a minute under traffic, no connection to a wrong endpoint. */
  @Test
  void shouldSendNobodyToAWrongEndpointWhileServicesChange() throws Exception {
    int services = 20;
    String[] ports = new String[services];
    TreeMap<String, String> targets = new TreeMap<>();
    for (int i = 0; i < services; i++) {
      ports[i] = Integer.toString(9000 + i);
      targets.put("10.96.3." + i, "80:" + (9000 + i));
    }
    serve("web-1", ports);
    serve("web-2", ports);
    Random random = new Random(20261121);
    for (int i = 0; i < services; i++) {
      write(i, List.of("web-1", "web-2"));
    }
    start();
    List<String> words = new ArrayList<>(List.of("churn", "12"));
    targets.forEach((address, port) -> words.add(address + ":" + port));
    Process churn =
        new ProcessBuilder(
                topology.pod("client-a").node().enter(words(words.toArray(new String[0]))))
            .redirectErrorStream(true)
            .start();
    int changes = 0;
    long begin = System.nanoTime();
    List<List<String>> sets =
        List.of(List.of("web-1"), List.of("web-2"), List.of("web-1", "web-2"));
    while (churn.isAlive()) {
      write(random.nextInt(services), sets.get(random.nextInt(3)));
      changes++;
      long due = begin + changes * 12_000_000L;
      long wait = (due - System.nanoTime()) / 1_000_000;
      if (wait > 0) {
        Thread.sleep(wait);
      }
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    String output = new String(churn.getInputStream().readAllBytes(), UTF_8).strip();
    System.out.printf(
        "%d changes in %.1f s; connections wrong failed datagrams wrong lost: %s%n",
        changes, seconds, output);
    String[] counts = output.split(" ", -1);
    assertTrue(Integer.parseInt(counts[0]) > 100, output);
    assertTrue(Integer.parseInt(counts[3]) > 100, output);
    assertEquals("0 0 0", counts[1] + " " + counts[2] + " " + counts[4], output);
    // A reply that is under way while its endpoint is withdrawn is nobody's any more.
    assertTrue(Integer.parseInt(counts[5]) <= 3 + Integer.parseInt(counts[3]) / 50, output);
  }

  private void write(int i, List<String> pods) throws IOException {
    String name = "churn-" + i;
    Path draft =
        Files.writeString(
            manifests.resolve("." + name),
            """
            apiVersion: v1
            kind: Service
            metadata: {name: %s, namespace: default}
            spec:
              clusterIP: 10.96.3.%d
              ports: [{name: t, protocol: TCP, port: 80}, {name: u, protocol: UDP, port: 80}]
            """
                    .formatted(name, i)
                + slices(name, 9000 + i, pods));
    Files.move(
        draft,
        manifests.resolve(name + ".yaml"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }
}
