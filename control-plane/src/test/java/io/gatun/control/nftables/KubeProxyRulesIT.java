package io.gatun.control.nftables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatun.control.document.Prefix;
import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.ObjectSet;
import io.gatun.control.service.FrontTable;
import io.gatun.control.service.NodeView;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** nft(8) takes the rules, and the rules after any changes are those of a fresh start. */
class KubeProxyRulesIT {
  private static final String NAMESPACE = "gatun-nft-" + ProcessHandle.current().pid();
  private static final NodeView NODE =
      NodeView.of(
          "node-1",
          List.of(InetAddress.ofLiteral("192.0.2.1"), InetAddress.ofLiteral("2001:db8::1")));
  private static final List<Prefix> PODS =
      List.of(Objects.requireNonNull(Prefix.parse("10.244.0.0/16")));

  @BeforeEach
  void up() throws Exception {
    assumeTrue(
        Files.isWritable(Path.of("/run/netns").getParent())
            && run("", "nft", "--version").exit == 0,
        "needs root and nft");
    assertEquals(0, run("", "ip", "netns", "add", NAMESPACE).exit);
  }

  @AfterEach
  void down() throws Exception {
    run("", "ip", "netns", "del", NAMESPACE);
  }

  private record Outcome(int exit, String output) {}

  private static Outcome run(String input, String... words)
      throws IOException, InterruptedException {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    Thread feeder =
        Thread.ofVirtual()
            .start(() -> {
              try (var out = process.getOutputStream()) {
                out.write(input.getBytes(StandardCharsets.UTF_8));
              } catch (IOException e) {
                // it ended before
              }
            });
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    feeder.join();
    return new Outcome(process.waitFor(), output);
  }

  private static void nft(String text) throws Exception {
    Outcome outcome = run(text, "nsenter", "--net=/run/netns/" + NAMESPACE, "nft", "-f", "-");
    assertEquals(
        0, outcome.exit, () -> outcome.output + text.substring(0, Math.min(4000, text.length())));
  }

  private static String ruleset(boolean ipv6) throws Exception {
    List<String> lines =
        run(
                "",
                "nsenter",
                "--net=/run/netns/" + NAMESPACE,
                "nft",
                "-s",
                "list",
                "table",
                ipv6 ? "ip6" : "ip",
                "kube-proxy")
            .output
            .lines()
            .toList();
    return String.join("\n", lines);
  }

  private static ObjectSet objects(String text) throws Exception {
    return ObjectSet.of(ManifestReader.read("m", text).objects());
  }

  private static String service(int i, String more, boolean local, String... endpoints) {
    StringBuilder list = new StringBuilder();
    for (String endpoint : endpoints) {
      list.append(
          "      - {addresses: [\"%s\"], nodeName: %s}\n"
              .formatted(endpoint, local ? "node-1" : "node-2"));
    }
    return """
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: s%1$d, namespace: default}
    spec:
      type: LoadBalancer
      clusterIP: 10.96.0.%1$d
      externalIPs: [198.51.100.%1$d]
      ports:
        - {name: a, port: 80, nodePort: 30%1$03d}
        - {name: b, port: 80, protocol: UDP, nodePort: 31%1$03d}
      %2$s
    status: {loadBalancer: {ingress: [{ip: 203.0.113.%1$d}]}}
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: s%1$d-1, namespace: default, labels: {kubernetes.io/service-name: s%1$d}}
    addressType: IPv4
    ports: [{name: a, port: 8080}, {name: b, port: 8081, protocol: UDP}]
    endpoints:%4$s
    %3$s\
    """
        .formatted(i, more, list, endpoints.length == 0 ? " []" : "");
  }

  @Test
  void shouldBeTakenByNft() throws Exception {
    FrontTable table = new FrontTable();
    table.update(
        objects(
            service(1, "externalTrafficPolicy: Local", true, "10.244.1.1", "10.244.1.2")
                + service(2, "sessionAffinity: ClientIP", false, "10.244.2.1")
                + service(
                    3, "loadBalancerSourceRanges: [10.0.0.0/8, 192.0.2.0/24]", false, "10.244.2.1")
                + service(4, "externalTrafficPolicy: Local", false, "10.244.2.9")
                + service(5, "", false)
                + """
                ---
                {apiVersion: v1, kind: Service, metadata: {name: six, namespace: default}, spec: {clusterIP: "fd00:96::1", ports: [{port: 53, protocol: UDP}]}}
                ---
                {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: six-1, namespace: default, labels: {kubernetes.io/service-name: six}}, addressType: IPv6, ports: [{port: 53, protocol: UDP}], endpoints: [{addresses: ["fd00:244::1"]}]}
                """),
        NODE);
    nft(new KubeProxyRules(false, "kube-proxy", PODS).all(table.fronts()));
    nft(new KubeProxyRules(true, "kube-proxy", PODS).all(table.fronts()));
    String rules = ruleset(false);
    assertTrue(rules.contains("dnat to 10.244.1.2:8080"), rules);
    assertTrue(
        rules.contains("198.51.100.4 . tcp . 80 : drop"), "policy Local, none here\n" + rules);
    assertTrue(rules.contains("10.96.0.5 . udp . 80 : goto reject-chain"), rules);
    assertTrue(rules.contains("saddr != { 10.0.0.0/8, 192.0.2.0/24, 203.0.113.3 } drop"), rules);
    assertTrue(rules.contains("numgen random mod 2"), rules);
    assertTrue(ruleset(true).contains("dnat to [fd00:244::1]:53"), ruleset(true));
    nft(new KubeProxyRules(false, "kube-proxy", PODS).all(List.of()));
    assertFalse(ruleset(false).contains("dnat to"), "replaced whole");
  }

  @Test
  void shouldComeToTheSameByChangesAsByAFreshStart() throws Exception {
    long seed = Long.getLong("gatun.seed", 11);
    Random random = new Random(seed);
    FrontTable table = new FrontTable();
    KubeProxyRules rules = new KubeProxyRules(false, "kube-proxy", PODS);
    nft(rules.all(List.of()));
    for (int round = 0; round < 12; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = 1; i <= 4; i++) {
        if (random.nextInt(4) > 0) {
          String more =
              switch (random.nextInt(4)) {
                case 0 -> "sessionAffinity: ClientIP";
                case 1 -> "externalTrafficPolicy: Local";
                case 2 -> "loadBalancerSourceRanges: [10.%d.0.0/16]".formatted(random.nextInt(3));
                default -> "";
              };
          String[] endpoints = new String[random.nextInt(4)];
          for (int e = 0; e < endpoints.length; e++) {
            endpoints[e] = "10.244.%d.%d".formatted(e, random.nextInt(3));
          }
          text.append(service(i, more, random.nextBoolean(), endpoints));
        }
      }
      nft(rules.delta(table.update(objects(text.toString()), NODE)));
      String changed = ruleset(false).lines().sorted().toList().toString();
      nft(new KubeProxyRules(false, "kube-proxy", PODS).all(table.fronts()));
      String fresh = ruleset(false).lines().sorted().toList().toString();
      assertEquals(fresh, changed, "round " + round + ", seed " + seed);
    }
  }
}
