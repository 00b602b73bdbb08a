package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every kind of front under every policy with real sockets, Gatun on the first node: which servers
 * answer, whom they see as their client, how evenly they are chosen, and that {@code explain} had
 * said so.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ServicesIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int CONNECTIONS = 24;

  /** The far end of the host's pair: whom the node's own servers see instead of it. */
  private static final String PAIR = "169.254.103.2";

  private static final String PAIR6 = "fd67:6174:756e::2";

  private static final int TARGET = 8080;
  private static final int HOST_TARGET = 8081;
  private static final int HOST_PORT = 8088;

  /** Ports of the Service {@code spread}, at two pods each: twenty endpoints. */
  private static final int FIRST_SPREAD = 9000;

  private static final int SPREAD = 10;

  /** Chi-squared with 19 degrees of freedom is larger once in a million times. */
  private static final double UNLIKELY = 66;

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final List<String> wrong = new ArrayList<>();
  private TwoNodes topology;
  private GatunProcess gatun;

  /** Somebody who asks; where {@code explain} is to think that the packets come from. */
  private record Client(String name, Talker talker, String four, String six, String in) {
    String address(boolean ipv6) {
      return ipv6 ? six : four;
    }
  }

  private Client pod;
  private Client itself;
  private Client outside;
  private Client node;

  @BeforeAll
  void up(@TempDir Path runDirectory) throws Exception {
    Machine.fit("python3");
    topology = TwoNodes.up(runDirectory, "services");
    open.push(topology);
    Path script = topology.lab().directory().resolve("whoami.py");
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
    int[] ports = new int[SPREAD + 1];
    ports[0] = TARGET;
    for (int i = 0; i < SPREAD; i++) {
      ports[i + 1] = FIRST_SPREAD + i;
    }
    for (String server : List.of("web-1", "web-2")) {
      open.push(Talker.serving(topology.pod(server).node(), script, server, ports));
    }
    open.push(Talker.serving(topology.nodeA(), script, "node-a", HOST_TARGET));
    open.push(Talker.serving(topology.nodeB(), script, "node-b", HOST_TARGET));
    pod = client("a pod", topology.pod("client-a"), script);
    itself = client("an endpoint", topology.pod("web-1"), script);
    outside =
        new Client(
            "outside",
            asking(topology.outside(), script),
            topology.address(topology.outside()),
            topology.address6(topology.outside()),
            "eth0");
    node =
        new Client(
            "the node",
            asking(topology.nodeA(), script),
            topology.address(topology.nodeA()),
            topology.address6(topology.nodeA()),
            "");
    start(manifests());
  }

  private Client client(String name, Pod of, Path script) throws IOException {
    return new Client(
        name,
        asking(of.node(), script),
        of.address(),
        of.address6().replaceFirst("(:0)+:", "::"),
        of.device());
  }

  private Talker asking(Node where, Path script) throws IOException {
    Talker talker = Talker.asking(where, script);
    open.push(talker);
    return talker;
  }

  private void start(Path manifests) throws IOException {
    Path config = Cluster.writeConfiguration(topology, topology.nodeA(), "packet");
    Files.writeString(
        config,
        "proxy: {detectLocalMode: ClusterCIDR, clusterCIDR: '10.244.0.0/16,fd00:244::/32'}\n",
        StandardOpenOption.APPEND);
    gatun = GatunProcess.start(topology.nodeA(), config, manifests);
    gatun.awaitReady(PATIENCE);
  }

  @AfterAll
  void down() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }

  private Path manifests() throws IOException {
    Path folder = Files.createDirectories(topology.lab().directory().resolve("manifests"));
    List<String> both = List.of("web-1", "web-2");
    StringBuilder spread = new StringBuilder(service("spread", 7, false, ""));
    for (int i = 0; i < SPREAD; i++) {
      spread.append(slices("spread", FIRST_SPREAD + i, both));
    }
    Files.writeString(
        folder.resolve("all.yaml"),
        service("cluster", 1, false, "")
            + slices("cluster", TARGET, both)
            + service("local", 2, true, "")
            + slices("local", TARGET, both)
            + service("ranged", 3, false, "loadBalancerSourceRanges: [10.0.0.0/8, 'fd00::/8']")
            + slices("ranged", TARGET, both)
            + service("empty", 4, false, "")
            + service("elsewhere", 5, true, "")
            + slices("elsewhere", TARGET, List.of("web-2"))
            + service("sticky", 6, false, "sessionAffinity: ClientIP")
            + slices("sticky", TARGET, both)
            + spread
            + service("hosts", 8, false, "")
            + slices("hosts", HOST_TARGET, List.of("node-a", "node-b"))
            + service("alone", 9, false, "")
            + slices("alone", TARGET, List.of("web-1"))
            + hostPorts());
    return folder;
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
        - {name: s, protocol: SCTP, port: 80, nodePort: %5$d}
    status: {loadBalancer: {ingress: [{ip: 203.0.113.%2$d}, {ip: "2001:db8:e:f::%2$d"}]}}
    """
        .formatted(name, last, policy, more, 30_000 + last);
  }

  private String slices(String service, int target, List<String> endpoints) {
    StringBuilder text = new StringBuilder();
    for (boolean six : new boolean[] {false, true}) {
      text.append(
          """
          ---
          apiVersion: discovery.k8s.io/v1
          kind: EndpointSlice
          metadata: {name: %1$s-%3$d-%2$s, namespace: default, labels: {kubernetes.io/service-name: %1$s}}
          addressType: IPv%2$s
          ports:
            - {name: t, protocol: TCP, port: %3$d}
            - {name: u, protocol: UDP, port: %3$d}
            - {name: s, protocol: SCTP, port: %3$d}
          endpoints:
          """
              .formatted(service, six ? "6" : "4", target));
      for (String name : endpoints) {
        boolean host = name.startsWith("node-");
        Node on = host ? topology.lab().node(name) : topology.pod(name).host();
        String four = host ? topology.address(on) : topology.pod(name).address();
        String its6 = host ? topology.address6(on) : topology.pod(name).address6();
        text.append(
            "  - {addresses: [\"%s\"], nodeName: %s}\n".formatted(six ? its6 : four, on.name()));
      }
    }
    return text.toString();
  }

  private String hostPorts() {
    StringBuilder ports = new StringBuilder();
    for (String protocol : List.of("TCP", "UDP", "SCTP")) {
      ports.append(
          "{containerPort: %d, hostPort: %d, protocol: %s}, "
              .formatted(TARGET, HOST_PORT, protocol));
    }
    Pod web = topology.pod("web-1");
    return """
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: web-1, namespace: default}
    spec: {nodeName: node-a, containers: [{name: web, ports: [%s]}]}
    status: {phase: Running, podIP: %2$s, podIPs: [{ip: %2$s}, {ip: "%3$s"}]}
    """
        .formatted(ports, web.address(), web.address6());
  }

  private JsonNode explain(String protocol, String src, String dst, int port, String in)
      throws IOException {
    String flow =
        """
        explain [{"id":"a","protocol":"%s","src":"%s","dst":"%s","dstPort":%d%s}]\
        """
            .formatted(
                protocol.toUpperCase(Locale.ROOT),
                src,
                dst,
                port,
                in.isEmpty() ? "" : ",\"in\":\"" + in + "\"");
    return AdminClient.ask(gatun.runDirectory().socket(), flow).get(0);
  }

  /** {@code expected}: each server and whom it sees, "web-1 10.0.0.1". */
  private void check(Client client, String protocol, String address, int port, String... expected)
      throws IOException {
    Set<String> got = new TreeSet<>();
    client
        .talker
        .ask(protocol, address, port, CONNECTIONS)
        .keySet()
        .forEach(answer -> got.add(answer.replaceFirst(" \\d+ ", " ")));
    String source = client.address(address.contains(":"));
    JsonNode said = explain(protocol, source, address, port, client.in);
    boolean masked = List.of(expected).stream().noneMatch(one -> one.endsWith(" " + source));
    if (!got.equals(new TreeSet<>(List.of(expected)))
        || said.path("candidates").size() != expected.length
        || (masked && !said.path("masquerade").asBoolean())
        || (!masked && !client.equals(node) && said.path("masquerade").asBoolean())) {
      wrong.add(
          "%s, %s to %s:%d: expected %s, got %s, explain %s"
              .formatted(client.name, protocol, address, port, List.of(expected), got, said));
    }
  }

  private static String[] seen(boolean both, String whom) {
    return both ? new String[] {"web-1 " + whom, "web-2 " + whom} : new String[] {"web-1 " + whom};
  }

  /**
   * Issue 6: "real packets for each kind of front and policy, v4 and v6, from pod, node, outside".
   */
  @Test
  void shouldServeEveryFrontUnderEveryPolicy() throws Exception {
    for (boolean six : new boolean[] {false, true}) {
      String nodeIs = node.address(six);
      for (String protocol : List.of("tcp", "udp", "sctp")) {
        for (boolean local : new boolean[] {false, true}) {
          int n = local ? 2 : 1;
          String cluster = six ? "fd00:96::2:" + n : "10.96.2." + n;
          check(pod, protocol, cluster, 80, seen(!local, pod.address(six)));
          check(outside, protocol, cluster, 80, seen(!local, nodeIs));
          check(node, protocol, cluster, 80, seen(!local, nodeIs));
          String external = six ? "2001:db8:e::" + n : "198.51.100." + n;
          String balancer = six ? "2001:db8:e:f::" + n : "203.0.113." + n;
          for (String address : List.of(external, balancer, nodeIs)) {
            boolean nodePort = address.equals(nodeIs);
            int port = nodePort ? 30_000 + n : 80;
            check(pod, protocol, address, port, seen(true, local ? pod.address(six) : nodeIs));
            check(
                outside,
                protocol,
                address,
                port,
                seen(!local, local ? outside.address(six) : nodeIs));
            // The rule that leads the node to its own node ports asks for a port, which a raw
            // socket's packet has none of.
            if (!(nodePort && protocol.equals("sctp"))) {
              check(node, protocol, address, port, seen(true, nodeIs));
            }
          }
        }
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void shouldServeHostPortsAndServersOfNodesAndTheClientThatMeetsItself() throws Exception {
    for (boolean six : new boolean[] {false, true}) {
      String nodeIs = node.address(six);
      String pair = six ? PAIR6 : PAIR;
      String hosts = six ? "fd00:96::2:8" : "10.96.2.8";
      String alone = six ? "fd00:96::2:9" : "10.96.2.9";
      for (String protocol : List.of("tcp", "udp", "sctp")) {
        check(pod, protocol, nodeIs, HOST_PORT, "web-1 " + pod.address(six));
        check(outside, protocol, nodeIs, HOST_PORT, "web-1 " + outside.address(six));
        check(itself, protocol, alone, 80, "web-1 " + nodeIs);
        if (protocol.equals("sctp")) {
          continue; // raw sockets on the node itself: see above
        }
        check(node, protocol, nodeIs, HOST_PORT, "web-1 " + nodeIs);
        String podIs = pod.address(six);
        check(pod, protocol, hosts, 80, "node-a " + podIs, "node-b " + podIs);
        check(outside, protocol, nodeIs, 30_008, "node-a " + pair, "node-b " + nodeIs);
        check(node, protocol, hosts, 80, "node-a " + pair, "node-b " + nodeIs);
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void shouldRefuseAndDropWhatSemanticsSay() throws Exception {
    assertEquals("timeout", once(outside, "203.0.113.3", 80));
    assertEquals(
        2, outside.talker.ask("tcp", "192.168.0.11", 30_003, CONNECTIONS).size()); // no ranges
    for (Client client : List.of(pod, node)) {
      assertEquals("refused", once(client, "10.96.2.4", 80), client.name);
      assertEquals("refused", once(client, "fd00:96::2:4", 80), client.name);
      assertEquals("refused", once(client, "10.96.2.1", 81), client.name);
    }
    assertEquals("refused", once(outside, "192.168.0.11", 30_004));
    assertEquals("timeout", once(outside, "192.168.0.11", 30_005));
    assertEquals("web-2 8080 10.244.0.10", once(pod, "203.0.113.5", 80)); // short circuit
    assertEquals("timeout", once(pod, "10.96.2.5", 80)); // which cluster IPs have none of
    assertEquals("timeout", once(pod, "10.96.7.7", 80));
    for (String address : List.of("10.96.2.1", "203.0.113.4", "fd00:96::2:1")) {
      pod.talker.ask("tcp", "10.96.2.1", 80, 1);
      topology
          .pod("client-a")
          .node()
          .exec("ping", "-c", "2", "-i", "0.2", "-W", "2", address)
          .orThrow();
    }
  }

  private static String once(Client client, String address, int port) throws IOException {
    return client.talker.ask("tcp", address, port, 1).keySet().iterator().next();
  }

  @Test
  void shouldKeepAClientAtItsEndpointOnAllFronts() throws Exception {
    Map<String, Integer> first = pod.talker.ask("tcp", "10.96.2.6", 80, CONNECTIONS);
    assertEquals(1, first.size(), first.toString());
    String server = first.keySet().iterator().next().substring(0, 5);
    for (String address : List.of("198.51.100.6", "203.0.113.6")) {
      Map<String, Integer> again = pod.talker.ask("tcp", address, 80, CONNECTIONS);
      assertEquals(1, again.size(), again.toString());
      assertEquals(server, again.keySet().iterator().next().substring(0, 5));
    }
  }

  /** semantics.md, 4: "DNAT to a usable endpoint, uniformly by flow hash". */
  @Test
  void shouldChooseEndpointsEvenly() throws Exception {
    evenly(pod.talker.ask("udp", "10.96.2.7", 80, 2000));
    evenly(pod.talker.ask("tcp", "fd00:96::2:7", 80, 1000));
    evenly(outside.talker.ask("udp", "192.168.0.11", 30_007, 2000));
  }

  private static void evenly(Map<String, Integer> counts) {
    double all = counts.values().stream().mapToInt(Integer::intValue).sum();
    double expected = all / (2 * SPREAD);
    double chiSquared = 0;
    for (int count : counts.values()) {
      chiSquared += (count - expected) * (count - expected) / expected;
    }
    chiSquared += (2 * SPREAD - counts.size()) * expected;
    System.out.printf("%d endpoints, chi-squared %.1f%n", counts.size(), chiSquared);
    assertTrue(counts.size() == 2 * SPREAD && chiSquared < UNLIKELY, counts.toString());
  }
}
