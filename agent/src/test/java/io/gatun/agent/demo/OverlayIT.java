package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Batch;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.Overlay;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.Counters;
import io.gatun.lab.demo.Servers;
import io.gatun.lab.demo.Transfer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Gatun on one node, nothing but the kernel's VXLAN device on the other, set up as flanneld and
 * Felix do it: they understand each other to the byte. So do two of Gatun.
 */
class OverlayIT {
  private static final Duration READY = Duration.ofSeconds(60);

  /** Enough for every mistake that has to do with size and sequence; see docs for a gigabyte. */
  private static final long BYTES = Long.getLong("gatun.overlay.bytes", 30_000_000);

  /** Of a load balancer. */
  private static final String BALANCED = "203.0.113.80";

  /** Beyond the other node, and no pod's. */
  private static final String FOREIGN = "198.51.100.1";

  /** Malformed, an error, a wrong checksum, or not decoded as what it should be. */
  private static final String COMPLAINT =
      "_ws.malformed || (_ws.expert.severity >= 6291456 && !tcp.analysis.flags) || !vxlan"
          + " || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0";

  private static final Pattern ANSWER = Pattern.compile("bytes from .*icmp_seq=(\\d+)");

  private static final int[] SIZES = {
    0, 1, 8, 56, 500, 1372, 1382, 1383, 1400, 1402, 1403, 1422, 1423, 1450, 2000, 4000, 20_000,
    65_000
  };

  @TempDir private Path runDirectory;

  /** Null before {@link #up}. */
  @SuppressWarnings("NullAway.Init")
  private TwoNodes topology;

  @SuppressWarnings("NullAway.Init")
  private Path manifests;

  /** On node A. */
  @SuppressWarnings("NullAway.Init")
  private GatunProcess gatun;

  @BeforeAll
  static void machine() {
    Machine.fit("bridge", "curl", "nstat", "ping", "python3", "ss", "tcpdump", "tshark");
  }

  private void up(Overlay overlay, String podDriver, String uplinkDriver) throws IOException {
    lay(overlay);
    Node other = topology.nodeB();
    other.sysctl("net.ipv4.ip_forward", "1");
    other.sysctl("net.ipv6.conf.all.forwarding", "1");
    gatun = start(topology.nodeA(), podDriver, uplinkDriver);
  }

  private void lay(Overlay overlay) throws IOException {
    topology = TwoNodes.up(runDirectory, "overlay", overlay);
    manifests = Cluster.writeManifests(topology);
    writeBalanced();
  }

  private GatunProcess start(Node node, String podDriver, String uplinkDriver) throws IOException {
    Path config = Cluster.writeConfiguration(topology, node, podDriver, uplinkDriver);
    Files.writeString(config, "egress: {masquerade: true}\n", StandardOpenOption.APPEND);
    GatunProcess process = GatunProcess.start(node, config, manifests);
    process.awaitReady(READY);
    return process;
  }

  @AfterEach
  void down() throws IOException {
    if (topology != null) {
      topology.close();
    }
  }

  @Test
  void shouldUnderstandFlannelsKernel() throws Exception {
    up(Overlay.FLANNEL, "xdp", "xdp");
    understand(Overlay.FLANNEL);
  }

  @Test
  void shouldUnderstandWholeSegmentsFromBothSides() throws Exception {
    up(Overlay.FLANNEL, "packet", "packet");
    understand(Overlay.FLANNEL);
  }

  @Test
  void shouldUnderstandCalicosKernelWithWholeSegmentsFromPods() throws Exception {
    up(Overlay.CALICO, "packet", "xdp");
    understand(Overlay.CALICO);
  }

  /** The other node's kernel forwards nothing. */
  @Test
  void shouldUnderstandItselfOnBothNodes() throws Exception {
    lay(Overlay.FLANNEL);
    gatun = start(topology.nodeA(), "packet", "xdp");
    start(topology.nodeB(), "packet", "packet");
    understand(Overlay.FLANNEL);
    for (Node node : topology.nodes()) {
      assertEquals(0, Counters.of(node).forwarded(), node.name());
    }
  }

  private void understand(Overlay overlay) throws Exception {
    Path capture = runDirectory.resolve("wire.pcap");
    Process tcpdump =
        topology
            .lab()
            .node("wire")
            .spawn(
                "tcpdump",
                "tcpdump",
                "-i",
                "to-node-b",
                "-Q",
                "out",
                "-s",
                "0",
                "-U",
                "-Z",
                "root",
                "-c",
                "20000",
                "-w",
                capture.toString(),
                "udp port " + overlay.port());
    Thread.sleep(500);
    pings();
    Transfer.serve(topology);
    Pod client = topology.pod("client-a");
    Transfer transfer = Transfer.through(topology, client, topology.pod("stream").address(), BYTES);
    System.out.println(transfer);
    assertTrue(transfer.intact(), transfer::toString);
    transfer = Transfer.through(topology, client, Cluster.BULK, BYTES);
    assertTrue(transfer.intact(), transfer::toString);
    tcpdump.destroy();
    tcpdump.waitFor();
    complaints(capture, overlay);
    for (Node node : topology.lab().nodes()) {
      assertEquals(
          List.of(),
          node.exec("nstat", "-asz")
              .orThrow()
              .output()
              .lines()
              .map(line -> line.strip().split("\\s+", -1))
              .filter(words -> words[0].endsWith("CsumErrors") && !words[1].equals("0"))
              .map(words -> node.name() + " " + words[0] + " " + words[1])
              .toList());
    }
    System.out.println(gatun.drops());
  }

  @Test
  void shouldFollowTheTablesUnderTrafficAndLeaveThemToTheKernel() throws Exception {
    up(Overlay.FLANNEL, "xdp", "xdp");
    Servers.start(topology);
    services();
    loadBalancer();
    egress();
    nodesThatComeAndGo();
    betweenTunnelAndDirectRoute();
    ourselvesFromPods();
    kernelAfterDeath();
  }

  /** Through Services, with the overlay's address where somebody else's may not be kept. */
  private void services() throws IOException {
    Pod client = topology.pod("client-a");
    Node nodeA = topology.nodeA();
    Pod web2 = topology.pod("web-2");
    assertEquals(client.address(), seenBy(client.node(), "http://" + Cluster.WEB + "/"));
    String nodePort = "http://" + topology.address(nodeA) + ":" + Cluster.WEB_NODE_PORT + "/";
    assertEquals(Overlay.FLANNEL.vtep(topology, nodeA), seenBy(topology.outside(), nodePort));
    JsonNode explained =
        AdminClient.ask(
                gatun.runDirectory().socket(),
                "explain [{\"id\":\"1\",\"protocol\":\"UDP\",\"src\":\"%s\",\"srcPort\":4000,\"dst\":\"%s\",\"dstPort\":7}]"
                    .formatted(client.address(), web2.address()))
            .path(0);
    assertEquals("route", explained.path("verdict").asText(), explained::toString);
    assertEquals(1, explained.path("tunnel").path("vni").asInt(), explained::toString);
    assertEquals(
        topology.address(topology.nodeB()), explained.path("tunnel").path("remote").asText());
    assertEquals(Overlay.MTU, explained.path("route").path("mtu").asInt());
    for (JsonNode row : AdminClient.ask(gatun.runDirectory().socket(), "tunnels")) {
      assertEquals("up", row.path("state").asText(), row::toString);
      if (row.path("dev").asText().equals(Overlay.FLANNEL.device())) {
        assertTrue(row.path("txFrames").asLong() > 4, row::toString);
        assertTrue(row.path("rxFrames").asLong() > 4, row::toString);
      }
    }
  }

  /** From outside to an endpoint beyond the tunnel: it sees the overlay's address of this node. */
  private void loadBalancer() throws Exception {
    Node outside = topology.outside();
    new Batch()
        .ip(outside, "route add " + BALANCED + " via " + topology.address(topology.nodeA()))
        .run();
    String url = "http://" + BALANCED + "/";
    String answer = "";
    for (int k = 0; k < 100 && answer.isEmpty(); k++) { // the manifest is new
      answer = outside.exec("curl", "-sS", "--max-time", "1", url).output().strip();
    }
    assertEquals("web-2 " + Overlay.FLANNEL.vtep(topology, topology.nodeA()), answer);
  }

  private void writeBalanced() throws IOException {
    Files.writeString(
        manifests.resolve("balanced.yaml"),
        """
        apiVersion: v1
        kind: Service
        metadata: {name: balanced, namespace: default}
        spec:
          type: LoadBalancer
          clusterIP: 10.96.0.81
          clusterIPs: [10.96.0.81]
          ports: [{name: http, protocol: TCP, port: 80, targetPort: 8080}]
        status: {loadBalancer: {ingress: [{ip: %s}]}}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: balanced-1, namespace: default, labels: {kubernetes.io/service-name: balanced}}
        addressType: IPv4
        ports: [{name: http, protocol: TCP, port: 8080}]
        endpoints: [{addresses: ["%s"], nodeName: node-b, conditions: {ready: true}}]
        """
            .formatted(BALANCED, topology.pod("web-2").address()));
  }

  /** A pod to somebody beyond the tunnel who is no pod: masqueraded as the kernel would. */
  private void egress() throws Exception {
    Node node = topology.nodeA();
    Node other = topology.nodeB();
    String way = Overlay.FLANNEL.vtep(topology, other) + " dev " + Overlay.FLANNEL.device();
    new Batch()
        .ip(other, "address add " + FOREIGN + "/32 dev lo")
        .ip(node, "route add " + FOREIGN + "/32 via " + way + " onlink")
        .run();
    String serve =
        """
        import http.server as h
        class H(h.BaseHTTPRequestHandler):
            def do_GET(s):
                s.send_response(200); s.end_headers(); s.wfile.write(s.client_address[0].encode())
        h.HTTPServer(('%s', 8081), H).serve_forever()
        """
            .formatted(FOREIGN);
    other.spawn("foreign", "python3", "-c", serve);
    String url = "http://" + FOREIGN + ":8081/";
    String seen = "";
    for (int k = 0; k < 100 && seen.isEmpty(); k++) { // until it listens
      seen =
          topology
              .pod("client-a")
              .node()
              .exec("curl", "-s", "--max-time", "1", url)
              .output()
              .strip();
      LockSupport.parkNanos(20_000_000);
    }
    assertEquals(Overlay.FLANNEL.vtep(topology, node), seen);
  }

  /** As whom web-2, on the other node, sees the client, once the choice falls on it. */
  private String seenBy(Node from, String url) throws IOException {
    for (int k = 0; k < 40; k++) {
      String[] words =
          from.exec("curl", "-sS", "--max-time", "3", url)
              .orThrow()
              .output()
              .strip()
              .split(" ", -1);
      if (words[0].equals("web-2")) {
        return words[1];
      }
    }
    throw new AssertionError("web-2 never answered " + url);
  }

  /** Nodes join, change their MAC and leave, while the pods of the other ones talk. */
  private void nodesThatComeAndGo() throws Exception {
    Node node = topology.nodeA();
    Process talk = talk(500);
    String device = Overlay.FLANNEL.device();
    for (int k = 0; k < 20; k++) {
      Batch batch = new Batch();
      for (int n = 2; n < 22; n++) {
        String gateway = "10.244." + n + ".0";
        String mac = "0a:58:00:00:%02x:%02x".formatted(k, n);
        batch.ip(
            node,
            "neigh replace " + gateway + " lladdr " + mac + " dev " + device + " nud permanent");
        batch.ip(
            node,
            (k % 4 == 3 ? "route del " : "route replace ")
                + gateway
                + "/24"
                + (k % 4 == 3 ? "" : " via " + gateway + " dev " + device + " onlink"));
      }
      batch.run();
      Overlay.place(node, device, "0a:58:00:00:00:02", "192.168.0." + (20 + k));
    }
    assertEquals(0, lost(talk));
  }

  /** The pair changes to direct routes and back, both nodes one after the other. */
  private void betweenTunnelAndDirectRoute() throws Exception {
    Process talk = talk(500);
    for (int k = 0; k < 3; k++) {
      Overlay.leadDirectly(topology);
      Thread.sleep(200);
      Overlay.FLANNEL.lead(topology);
      Thread.sleep(200);
    }
    assertEquals(0, lost(talk));
  }

  private Process talk(int count) throws IOException {
    String[] words = {
      "ping", "-nc" + count, "-i", "0.005", "-w", "25", topology.pod("client-b").address()
    };
    return new ProcessBuilder(topology.pod("client-a").node().enter(words))
        .redirectErrorStream(true)
        .start();
  }

  private static int lost(Process talk) throws Exception {
    String text = new String(talk.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    talk.waitFor();
    return lost(text);
  }

  /** Of the questions up to the last that was answered. */
  private static int lost(String ping) {
    Set<Integer> answered = new HashSet<>();
    Matcher answers = ANSWER.matcher(ping);
    while (answers.find()) {
      answered.add(Integer.parseInt(answers.group(1)));
    }
    assertTrue(!answered.isEmpty(), ping);
    return Collections.max(answered) - answered.size();
  }

  /** A pod that speaks VXLAN itself would speak in the name of its node. */
  private void ourselvesFromPods() throws IOException {
    String send =
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
            + " [s.sendto(bytes(60), ('%s', %d)) for _ in range(5)]"
                .formatted(topology.address(topology.nodeB()), Overlay.FLANNEL.port());
    topology.pod("client-a").node().exec("python3", "-c", send).orThrow();
    for (int k = 0; k < 100 && !gatun.drops().contains("tunnel_from_pod"); k++) {
      LockSupport.parkNanos(20_000_000);
    }
    assertTrue(gatun.drops().contains("tunnel_from_pod"), gatun.drops());
  }

  /** After a death and the hold the kernel's own device carries on. */
  private void kernelAfterDeath() throws Exception {
    Node node = topology.nodeA();
    node.sysctl("net.ipv4.ip_forward", "1");
    Process talk = talk(1600); // eight seconds and the hold
    Thread.sleep(300);
    gatun.process().destroyForcibly();
    int lost = lost(talk);
    System.out.println("lost of 1600 pings, 5 ms apart, by a death without a successor: " + lost);
    assertTrue(lost < 2400, () -> lost + " lost");
    assertTrue(lost > 0);
    String again = ping(topology.pod("client-b").address(), 1400, 20);
    assertEquals(0, lost(again), again);
    String used =
        node.exec("ip", "-s", "-j", "link", "show", Overlay.FLANNEL.device()).orThrow().output();
    assertTrue(used.matches("(?s).*\"tx\":\\{\"bytes\":[1-9].*"), used);
  }

  private void pings() throws IOException {
    Pod to = topology.pod("client-b");
    for (String address : List.of(to.address(), to.address6())) {
      ping(address, 2000, 3); // the first ones teach both ends what fits
      ping(address, 1402, 3);
      for (int size : SIZES) {
        String seen = ping(address, size, 20);
        assertEquals(0, lost(seen), () -> address + " " + size + seen + why());
      }
    }
  }

  /** With a deadline: without one ping(8) leaves before the last answer, if that takes its time. */
  private String ping(String address, int size, int count) throws IOException {
    return topology
        .pod("client-a")
        .node()
        .exec("ping", "-nc" + count, "-i", "0.002", "-w", "9", "-s", "" + size, address)
        .output();
  }

  private String why() {
    try {
      return gatun.drops() + topology.nodeB().exec("nstat", "-as").output();
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** What tshark finds wrong in any layer; the transfer's random bytes mean nothing. */
  private static void complaints(Path capture, Overlay overlay) throws IOException {
    String options =
        "-d udp.port==%d,vxlan -d tcp.port==9000,echo -o ip.check_checksum:TRUE"
                .formatted(overlay.port())
            + " -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE";
    List<String> words = new ArrayList<>(List.of("tshark", "-r", capture.toString()));
    words.addAll(List.of(options.split(" ")));
    words.addAll(List.of("-Y", COMPLAINT));
    String complaints = Command.of(words).run().orThrow().output();
    assertEquals("", complaints.lines().limit(10).collect(Collectors.joining("\n")));
    assertTrue(Files.size(capture) > 1_000_000, () -> "hardly anything was captured");
  }
}
