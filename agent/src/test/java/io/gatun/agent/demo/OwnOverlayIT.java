package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Batch;
import io.gatun.lab.Node;
import io.gatun.lab.Overlay;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node on which no flanneld runs, and whose Node objects come from an API server: Gatun publishes
 * it, learns the others, and leaves the kernel a device that goes on without it. The other node has
 * the kernel alone.
 */
class OwnOverlayIT {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NODES = "/api/v1/nodes";
  private static final String FLANNEL = "flannel.alpha.coreos.com/";
  private static final String DEVICE = Overlay.FLANNEL.device();

  /** Nodes beside the two that are there. */
  private static final int CROWD = Integer.getInteger("gatun.overlay.nodes", 1000);

  private TwoNodes topology;
  private ScriptedApi api;
  private Path config;

  @BeforeEach
  void up(@TempDir Path runDirectory) throws Exception {
    Machine.fit("bridge", "ping", "python3", "ss");
    topology = TwoNodes.up(runDirectory, "own-overlay", Overlay.FLANNEL);
    Node node = topology.nodeA();
    new Batch()
        .ip(node, "link del " + DEVICE)
        .ip(node, "link del " + Overlay.FLANNEL.device6())
        .run();
    Node other = topology.nodeB();
    // The crowd's addresses: somebody is there to send to.
    new Batch().ip(node, "route add 192.168.8.0/21 via " + topology.address(other)).run();
    new Batch().ip(node, "route add 192.168.16.0/21 via " + topology.address(other)).run();
    other.sysctl("net.ipv4.ip_forward", "1");
    other.sysctl("net.ipv6.conf.all.forwarding", "1");
    config = Cluster.writeConfiguration(topology, node);
    Files.writeString(config, "overlay: {vxlan: {profile: flannel}}\n", StandardOpenOption.APPEND);
    Path folder = topology.lab().directory();
    api = new ScriptedApi(folder);
    ObjectNode cluster = JSON.createObjectNode();
    for (String kind :
        List.of(
            "/api/v1/services",
            "/api/v1/pods",
            "/apis/discovery.k8s.io/v1/endpointslices",
            "/apis/networking.k8s.io/v1/servicecidrs",
            "/apis/networking.k8s.io/v1/networkpolicies")) {
      cluster.putArray(kind);
    }
    ArrayNode nodes = cluster.putArray(NODES);
    nodes.add(object("node-a", List.of(topology.subnet(node), topology.subnet6(node)), Map.of()));
    nodes.add(other());
    write(cluster);
    api.serve(node);
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  @Test
  void shouldDoWithoutFlanneldAndLeaveTheKernelADevice() throws Exception {
    Node node = topology.nodeA();
    GatunProcess gatun = GatunProcess.start(node, config, api.kubeconfig(), List.of());
    gatun.awaitReady(READY);
    introduceOurselves();
    pings(20);
    nodesThatComeAndGo(gatun);
    List<String> before = places();
    gatun.process().destroyForcibly().waitFor();
    change(
        nodes -> nodes.removeIf(one -> one.path("metadata").path("name").asText().equals("n500")));
    node.sysctl("net.ipv4.ip_forward", "1");
    node.sysctl("net.ipv6.conf.all.forwarding", "1");
    Thread.sleep(5500); // the hold
    pings(20);
    assertEquals(before, places());
    assertTrue(carriedByTheKernel() > 0);
    node.sysctl("net.ipv4.ip_forward", "0");
    node.sysctl("net.ipv6.conf.all.forwarding", "0");
    GatunProcess successor = GatunProcess.start(node, config, api.kubeconfig(), List.of());
    successor.awaitReady(READY);
    await(
        "place without n500", () -> "" + places().size(), s -> s.equals("" + (before.size() - 1)));
    pings(20);
    successor.stop();
    String links = node.exec("ip", "-br", "link").orThrow().output();
    assertFalse(links.contains("flannel"), links);
  }

  /** What flanneld on the other node does with what this node publishes. */
  private void introduceOurselves() throws Exception {
    String data =
        await("annotation", () -> annotation("node-a", "backend-data"), s -> !s.isEmpty());
    assertEquals(topology.address(topology.nodeA()), annotation("node-a", "public-ip"));
    assertEquals("vxlan", annotation("node-a", "backend-type"));
    assertEquals("true", annotation("node-a", "kube-subnet-manager"));
    assertEquals(1, JSON.readTree(data).path("VNI").asInt());
    meet(
        DEVICE,
        Overlay.FLANNEL.vtep(topology, topology.nodeA()),
        JSON.readTree(data),
        annotation("node-a", "public-ip"));
    meet(
        Overlay.FLANNEL.device6(),
        Overlay.FLANNEL.vtep6(topology, topology.nodeA()),
        JSON.readTree(annotation("node-a", "backend-v6-data")),
        annotation("node-a", "public-ipv6"));
  }

  private void meet(String device, String gateway, JsonNode data, String address)
      throws IOException {
    String mac = data.path("VtepMAC").asText();
    Node other = topology.nodeB();
    Overlay.place(other, device, mac, address);
    new Batch()
        .ip(
            other,
            "neigh replace %s lladdr %s dev %s nud permanent".formatted(gateway, mac, device))
        .run();
  }

  /** Others join, change their MAC and address and leave; who stays loses nothing. */
  private void nodesThatComeAndGo(GatunProcess gatun) throws Exception {
    String[] words = {
      "ping", "-nc4000", "-i", "0.005", "-w", "60", topology.pod("client-b").address()
    };
    Path said = api.objects().resolveSibling("talk");
    Process talk =
        new ProcessBuilder(topology.pod("client-a").node().enter(words))
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    for (int round = 0; round < 3; round++) {
      int second = round;
      change(nodes -> {
        nodes.removeIf(one -> !one.path("metadata").path("name").asText().startsWith("node-"));
        for (int n = second; n < CROWD; n++) { // one leaves each time
          String mac = "0a:58:%02x:00:%02x:%02x".formatted(second % 2, n >> 8, n & 0xFF);
          String address = "192.168.%d.%d".formatted(8 + (n >> 8) + 8 * (second / 2), n & 0xFF);
          nodes.add(
              object(
                  "n" + n,
                  List.of("10.%d.%d.0/24".formatted(16 + (n >> 8), n & 0xFF)),
                  annotations(mac, address)));
        }
      });
      int expected = CROWD - round + 1;
      String mac = "0a:58:%02x:".formatted(round % 2);
      await(
          "place of round " + round,
          () -> String.join("\n", places()),
          text -> text.lines().filter(line -> line.startsWith(mac)).count() >= expected - 1);
      await(
          "tunnel of round " + round,
          () -> "" + tunnels(gatun),
          text -> Integer.parseInt(text) == expected + 1); // and the one over IPv6
    }
    talk.destroy();
    talk.waitFor();
    String text = Files.readString(said);
    long answers = text.lines().filter(line -> line.contains("icmp_seq=")).count();
    long last =
        text.lines()
            .filter(line -> line.contains("icmp_seq="))
            .mapToLong(line -> Long.parseLong(line.replaceFirst(".*icmp_seq=(\\d+).*", "$1")))
            .max()
            .orElse(0);
    System.out.println(answers + " of " + last + " pings were answered");
    assertTrue(answers > 100, text);
    assertEquals(last, answers, text);
    pings(20);
  }

  private static int tunnels(GatunProcess gatun) throws IOException {
    int up = 0;
    for (JsonNode row : AdminClient.ask(gatun.runDirectory().socket(), "tunnels")) {
      up += row.path("state").asText().equals("kernel") ? 0 : 1;
    }
    return up;
  }

  private List<String> places() throws IOException {
    return topology
        .nodeA()
        .exec("bridge", "fdb", "show", "dev", DEVICE)
        .orThrow()
        .output()
        .lines()
        .map(String::strip)
        .sorted()
        .toList();
  }

  private long carriedByTheKernel() throws IOException {
    String text =
        topology.nodeA().exec("ip", "-s", "-j", "link", "show", DEVICE).orThrow().output();
    return JSON.readTree(text).path(0).path("stats64").path("tx").path("packets").asLong();
  }

  private void pings(int count) throws IOException {
    for (String address :
        List.of(topology.pod("client-b").address(), topology.pod("client-b").address6())) {
      String said =
          topology
              .pod("client-a")
              .node()
              .exec("ping", "-nc" + count, "-i", "0.01", "-w", "9", "-s", "1300", address)
              .output();
      assertTrue(said.contains(" 0% packet loss"), said);
    }
  }

  // The cluster's objects.

  private ObjectNode other() {
    Node other = topology.nodeB();
    Map<String, String> annotations =
        annotations(Overlay.FLANNEL.mac(topology, other), topology.address(other));
    ObjectNode node =
        object("node-b", List.of(topology.subnet(other), topology.subnet6(other)), annotations);
    ObjectNode all = (ObjectNode) node.path("metadata").path("annotations");
    all.put(FLANNEL + "backend-v6-data", data(Overlay.FLANNEL.mac6(topology, other)));
    all.put(FLANNEL + "public-ipv6", topology.address6(other));
    return node;
  }

  private static Map<String, String> annotations(String mac, String address) {
    return Map.of("backend-type", "vxlan", "backend-data", data(mac), "public-ip", address);
  }

  private static String data(String mac) {
    return "{\"VNI\":1,\"VtepMAC\":\"" + mac + "\"}";
  }

  private static ObjectNode object(
      String name, List<String> pods, Map<String, String> annotations) {
    ObjectNode node = JSON.createObjectNode().put("apiVersion", "v1").put("kind", "Node");
    ObjectNode metadata = node.putObject("metadata").put("name", name).put("uid", name);
    ObjectNode all = metadata.putObject("annotations");
    annotations.forEach((key, value) -> all.put(FLANNEL + key, value));
    ArrayNode cidrs = node.putObject("spec").putArray("podCIDRs");
    pods.forEach(cidrs::add);
    return node;
  }

  /** Empty where it is not there. */
  private String annotation(String node, String key) throws IOException {
    for (JsonNode one : JSON.readTree(api.objects().toFile()).path(NODES)) {
      if (one.path("metadata").path("name").asText().equals(node)) {
        JsonNode value = one.path("metadata").path("annotations").path(FLANNEL + key);
        return value.asText();
      }
    }
    return "";
  }

  private interface Change {
    void of(List<JsonNode> nodes);
  }

  private void change(Change change) throws IOException {
    ObjectNode cluster = (ObjectNode) JSON.readTree(api.objects().toFile());
    List<JsonNode> nodes = new ArrayList<>();
    cluster.path(NODES).forEach(nodes::add);
    change.of(nodes);
    cluster.putArray(NODES).addAll(nodes);
    write(cluster);
  }

  private void write(ObjectNode cluster) throws IOException {
    api.write(JSON.writeValueAsString(cluster));
  }

  private static String await(String what, Await.Question question, Predicate<String> holds)
      throws IOException, InterruptedException {
    return Await.answer(what, Duration.ofSeconds(30), question, holds);
  }
}
