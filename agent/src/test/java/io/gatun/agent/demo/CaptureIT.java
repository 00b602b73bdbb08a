package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Node;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Frames sent raw in one namespace, captured by tcpdump where they arrive, are those that scapy
 * expects ({@code src/test/scapy/captured_frames.py}), byte for byte and in order.
 */
class CaptureIT {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final long PATIENCE_NANOS = 10_000_000_000L;
  private static final List<String> CAPTURED = List.of("client-a", "web-1", "outside");

  /** Nothing but the Service's traffic and errors about it; and of that, what comes in. */
  private static final String FILTER =
      "(udp and not port 5353) or (icmp and icmp[0] == 11) or (icmp6 and ip6[40] == 3)";

  private static final String SERVICE =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: exact, namespace: default}
      spec:
        type: NodePort
        clusterIP: 10.96.0.90
        clusterIPs: [10.96.0.90, "fd00:96::90"]
        ipFamilies: [IPv4, IPv6]
        ports:
          - {name: d, protocol: UDP, port: 7, targetPort: 7007, nodePort: 30070}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: exact-4, namespace: default, labels: {kubernetes.io/service-name: exact}}
      addressType: IPv4
      ports: [{name: d, protocol: UDP, port: 7007}]
      endpoints: [{addresses: [10.244.0.11], nodeName: node-a}]
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: exact-6, namespace: default, labels: {kubernetes.io/service-name: exact}}
      addressType: IPv6
      ports: [{name: d, protocol: UDP, port: 7007}]
      endpoints: [{addresses: ["fd00:244:0::11"], nodeName: node-a}]
      """;

  /** Sends a frame for every line of hex, until there are no more. */
  private static final String SEND =
      """
      import socket, sys
      s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
      s.bind(("eth0", 0))
      for line in sys.stdin:
          s.send(bytes.fromhex(line))
      """;

  private record Row(String name, String sender, String sent, String receiver, String seen) {}

  private TwoNodes topology;
  private GatunProcess gatun;

  @BeforeAll
  static void machine() {
    Machine.fit("tcpdump", "python3");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "capture");
    Path manifests = Cluster.writeManifests(topology);
    Files.writeString(manifests.resolve("exact.yaml"), SERVICE);
    Path config = Cluster.writeConfiguration(topology, topology.nodeA());
    Files.writeString(config, "snatPorts: 61000-61000\n", StandardOpenOption.APPEND);
    gatun = GatunProcess.start(topology.nodeA(), config, manifests);
    gatun.awaitReady(READY);
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  @Test
  void shouldPutExactlyTheseBytesOnTheWire() throws IOException, InterruptedException {
    for (String name : CAPTURED) {
      Node node = topology.lab().node(name);
      String file = capture(node).toString();
      node.spawn(
          "tcpdump",
          "tcpdump",
          "-i",
          "eth0",
          "-Q",
          "in",
          "-U",
          "--immediate-mode",
          "-s",
          "0",
          "-Z",
          "root",
          "-w",
          file,
          FILTER);
    }
    for (String name : CAPTURED) {
      await(() -> log(topology.lab().node(name)).contains("listening on"), "tcpdump to listen");
    }
    Map<String, List<String>> expected = new LinkedHashMap<>();
    Map<String, Writer> senders = new HashMap<>();
    for (String name : CAPTURED) {
      expected.put(name, new ArrayList<>());
      senders.put(name, sender(topology.lab().node(name)));
    }
    for (Row row : rows()) {
      Writer sender = Objects.requireNonNull(senders.get(row.sender()));
      sender.write(row.sent() + "\n");
      sender.flush();
      if (!row.seen().isEmpty()) {
        List<String> frames = Objects.requireNonNull(expected.get(row.receiver()));
        frames.add(row.seen());
        // One after the other, so that the order is the rows'.
        await(() -> frames(row.receiver()).size() >= frames.size(), row.name());
      }
    }
    for (Writer sender : senders.values()) {
      sender.close();
    }
    for (String name : CAPTURED) {
      assertEquals(expected.get(name), frames(name), name);
    }
    // Nobody sees the malformed ones arrive but the counter.
    await(() -> drops().path(0).path("packets").asLong() >= 2, "two malformed frames");
    JsonNode drops = drops();
    assertEquals(1, drops.size(), drops::toString);
    assertEquals("bad_l4_header", drops.get(0).path("reason").asText());
    assertEquals(2, drops.get(0).path("packets").asLong());
  }

  private JsonNode drops() throws IOException {
    return AdminClient.ask(gatun.runDirectory().socket(), "drops");
  }

  /** Ends with the lab, or at the end of its input. */
  private static Writer sender(Node node) throws IOException {
    Path system = Path.of("/usr/bin/python3"); // a version switcher's shim in PATH is slow
    String python = Files.isExecutable(system) ? system.toString() : "python3";
    return new ProcessBuilder(node.enter(python, "-c", SEND)).start().outputWriter();
  }

  @FunctionalInterface
  private interface Condition {
    boolean holds() throws IOException;
  }

  private void await(Condition condition, String what) throws IOException, InterruptedException {
    long giveUp = System.nanoTime() + PATIENCE_NANOS;
    while (!condition.holds()) {
      if (System.nanoTime() > giveUp) {
        Map<String, List<String>> seen = new LinkedHashMap<>();
        for (String name : CAPTURED) {
          seen.put(name, frames(name));
        }
        throw new AssertionError("waited in vain for: " + what + "; captured " + seen);
      }
      Thread.sleep(10);
    }
  }

  private static Path capture(Node node) {
    return node.runDirectory().resolve("capture.pcap");
  }

  private static String log(Node node) throws IOException {
    return Files.readString(node.runDirectory().resolve("tcpdump.log"));
  }

  /** The whole frames of the capture so far, in hex: pcap's 24 bytes, then 16 before each. */
  private List<String> frames(String name) throws IOException {
    Path file = capture(topology.lab().node(name));
    List<String> frames = new ArrayList<>();
    if (!Files.exists(file)) {
      return frames;
    }
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer pcap = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    for (int at = 24; at + 16 <= bytes.length; ) {
      int end = at + 16 + pcap.getInt(at + 8);
      if (end > bytes.length) {
        break; // still being written
      }
      frames.add(HexFormat.of().formatHex(bytes, at + 16, end));
      at = end;
    }
    return frames;
  }

  private static List<Row> rows() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(CaptureIT.class.getResourceAsStream("captured-frames.txt"))) {
      List<String> lines =
          new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.startsWith("#"))
              .toList();
      List<Row> rows = new ArrayList<>();
      for (int i = 0; i < lines.size(); i += 3) {
        String[] send = lines.get(i + 1).strip().split(" ", -1);
        String[] see = lines.get(i + 2).strip().split(" ", -1);
        rows.add(new Row(lines.get(i), send[1], send[2], see[1], see.length > 2 ? see[2] : ""));
      }
      return rows;
    }
  }
}
