package io.gatun.agent.explain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.Main;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command, from files to lines, as interface.md fixes it. */
class ExplainCommandTest {
  private static final String PROXY =
      """
      apiVersion: kubeproxy.config.k8s.io/v1alpha1
      kind: KubeProxyConfiguration
      hostnameOverride: node-1
      clusterCIDR: 10.244.0.0/16
      mode: nftables
      """;

  private static final String OBJECTS =
      """
      apiVersion: v1
      kind: List
      items:
      - {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, clusterIP: 10.96.0.10,
         ports: [{port: 80, nodePort: 30080}]}}
      - {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4,
         metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}, ports: [{name: "", port: 8080}],
         endpoints: [{addresses: [10.244.1.10]}, {addresses: [10.244.1.9]}]}
      - {apiVersion: v1, kind: Node, metadata: {name: node-1}, status: {addresses: [{type: InternalIP, address: 192.0.2.7}]}}
      """;

  @TempDir private Path folder;
  private Path config;
  private Path manifests;

  @BeforeEach
  void write() throws IOException {
    config = Files.writeString(folder.resolve("config.yaml"), PROXY);
    manifests = Files.createDirectory(folder.resolve("manifests"));
    Files.writeString(manifests.resolve("a.yaml"), OBJECTS);
  }

  private record Output(int code, List<String> lines, String errors) {}

  private static Output run(String... arguments) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    ByteArrayOutputStream complained = new ByteArrayOutputStream();
    System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
    try {
      int code = Main.run(arguments);
      return new Output(
          code,
          written.toString(StandardCharsets.UTF_8).lines().toList(),
          complained.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  private Output explain(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of("explain", "--config", config.toString(), "--manifests", manifests.toString()));
    words.addAll(List.of(more));
    return run(words.toArray(new String[0]));
  }

  @Test
  void shouldAnswerEveryLineInItsOrderWithTheFieldsOfTheContract() throws IOException {
    Path flows = folder.resolve("flows.jsonl");
    Files.writeString(
        flows,
        """
        {"id":"one","protocol":"TCP","src":"203.0.113.9","srcPort":40000,"dst":"192.0.2.7","dstPort":30080}

        {"id":"two","protocol":"ICMP","src":"10.244.0.3","dst":"10.96.0.10","unheard":"of"}
        {"id":"three","protocol":"UDP","src":"10.244.0.3","dst":"10.96.0.10","dstPort":80,"in":"eth7"}
        {"id":"four","protocol":"TCP","src":"127.0.0.1","dst":"127.0.0.1","dstPort":30080}
        """);
    Output output = explain("--flows", flows.toString(), "-o", "json");
    assertEquals(0, output.code, output.errors);
    assertEquals(4, output.lines.size());
    ObjectMapper json = new ObjectMapper();
    JsonNode one = json.readTree(output.lines.get(0));
    List<String> fields = new ArrayList<>();
    one.fieldNames().forEachRemaining(fields::add);
    assertEquals(
        List.of(
            "id",
            "verdict",
            "reason",
            "service",
            "frontend",
            "candidates",
            "endpoint",
            "affinity",
            "masquerade",
            "source",
            "route",
            "tunnel",
            "steps"),
        fields);
    assertEquals("forward", one.path("verdict").asText());
    assertEquals("default/web", one.path("service").asText());
    assertEquals("nodePort", one.path("frontend").asText());
    assertEquals("[\"10.244.1.10:8080\",\"10.244.1.9:8080\"]", one.path("candidates").toString());
    assertTrue(one.path("masquerade").asBoolean());
    assertEquals("192.0.2.7", one.path("source").asText());
    assertTrue(one.path("reason").isNull() && one.path("tunnel").isNull());
    assertEquals("local", json.readTree(output.lines.get(1)).path("verdict").asText());
    JsonNode three = json.readTree(output.lines.get(2));
    assertEquals("three", three.path("id").asText());
    assertEquals("reject", three.path("verdict").asText());
    assertEquals("NO_SUCH_PORT", three.path("reason").asText());
    assertEquals("local", json.readTree(output.lines.get(3)).path("verdict").asText());
  }

  @Test
  void shouldAnswerAThousandFlows() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 1000; i++) {
      text.append(
          "{\"id\":\"%d\",\"protocol\":\"TCP\",\"src\":\"10.244.0.%d\",\"srcPort\":%d,\"dst\":\"10.96.0.10\",\"dstPort\":80}\n"
              .formatted(i, i % 250, 1024 + i));
    }
    Path flows = Files.writeString(folder.resolve("flows.jsonl"), text);
    Output output = explain("--flows", flows.toString(), "-o", "json");
    assertEquals(1000, output.lines.size());
    long first =
        output.lines.stream().filter(l -> l.contains("\"endpoint\":\"10.244.1.9:")).count();
    assertTrue(first > 400 && first < 600, first + " of 1000"); // uniform: 500 ± 16
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"protocol\":\"TCP\"} | line 1: src: got nothing, expected a string",
        "nonsense | line 1: got no JSON, expected an object a line",
        "{\"protocol\":\"GRE\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\"} | line 1: protocol: got \"GRE\", expected one of TCP, UDP, SCTP, ICMP",
        "{\"protocol\":\"TCP\",\"src\":\"10.0.0.1\",\"dst\":\"fd00::1\",\"dstPort\":1} | line 1: src and dst are of two families, expected one",
        "{\"protocol\":\"TCP\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"dstPort\":70000} | line 1: dstPort: got 70000, expected a port from 1 to 65535",
      })
  void shouldNameTheMistake(String line, String expected) throws IOException {
    Path flows = Files.writeString(folder.resolve("flows.jsonl"), line + "\n");
    Output output = explain("--flows", flows.toString());
    assertEquals(2, output.code);
    assertEquals("gatun: " + flows + ": " + expected, output.errors.strip());
  }

  @Test
  void shouldExplainForPeople() {
    Output output = explain("--flow", "TCP 10.244.0.2:40000 > 10.96.0.10:80");
    assertEquals(0, output.code, output.errors);
    String text = String.join("\n", output.lines);
    assertTrue(text.contains("=> forward to 10.244.1."), text);
    assertTrue(text.contains("front: clusterIP 10.96.0.10:80/TCP of default/web"), text);
    Output six = explain("--flow", "udp [fd00::1]:5 > [fd00::2]:53 in eth0", "-o", "json");
    assertTrue(six.lines.getFirst().contains("\"verdict\":\"route\""), six.lines::toString);
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void shouldNameTheTunnel(boolean mirror) throws IOException {
    Files.writeString(
        config,
        """
        apiVersion: gatun.io/v1alpha1
        kind: GatunConfiguration
        node: node-1
        nodeAddresses: [192.168.0.2]
        interfaces: [{name: eth0, role: uplink}]
        kernel: {mirror: %s}
        %s
        overlay: {vxlan: {vni: 1, port: 8472, profile: flannel,
                  peers: [{cidr: 10.244.1.0/24, vtep: 192.168.0.3, mac: "0a:58:0a:f4:01:00"}]}}
        """
            .formatted(
                mirror,
                mirror
                    ? ""
                    : "routes: [{to: 192.168.0.0/24, dev: eth0}]\n"
                        + "neighbours: [{ip: 192.168.0.3, mac: '02:00:00:00:00:03', dev: eth0}]"));
    for (String to : new String[] {"10.96.0.10:80", "10.244.1.10:7"}) {
      Output output =
          run(
              "explain",
              "--config",
              config.toString(),
              "--manifests",
              manifests.toString(),
              "--flow",
              "TCP 10.244.0.5:4000 > " + to,
              "-o",
              "json");
      assertEquals("", output.errors());
      JsonNode answer = new ObjectMapper().readTree(output.lines().getFirst());
      assertEquals(
          to.endsWith(":80") ? "forward" : "route",
          answer.path("verdict").asText(),
          answer::toString);
      assertEquals(1, answer.path("tunnel").path("vni").asInt(), answer::toString);
      assertEquals("192.168.0.3", answer.path("tunnel").path("remote").asText());
      assertEquals("10.244.1.0/24", answer.path("route").path("prefix").asText());
      assertEquals("flannel.1", answer.path("route").path("dev").asText());
      assertEquals(1450, answer.path("route").path("mtu").asInt());
    }
  }
}
