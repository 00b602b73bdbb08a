package io.gatun.agent.explain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Fronts × policies × endpoints × clients × families × protocols, 2,016 flows, against a model that
 * is written from semantics.md 1 to 4 alone; and each as a packet through the worker's stages.
 */
class EveryCombinationTest {
  @TempDir private Path folder;

  private enum Front {
    CLUSTER_IP("clusterIP"),
    EXTERNAL_IP("externalIP"),
    LOAD_BALANCER("loadBalancerIP"),
    NODE_PORT("nodePort");

    final String label;

    Front(String label) {
      this.label = label;
    }
  }

  private enum Client {
    POD,
    ENDPOINT,
    NODE,
    OUTSIDE
  }

  /** An endpoint here and one there: whether each is there, ready, serving, terminating. */
  private record Endpoint(boolean here, boolean ready, boolean serving, boolean terminating) {}

  private static final List<List<Endpoint>> LAYOUTS =
      List.of(
          List.of(),
          List.of(ready(true)),
          List.of(ready(false)),
          List.of(ready(true), ready(false)),
          List.of(ending(true), ready(false)),
          List.of(ending(true), ending(false)),
          List.of(new Endpoint(true, false, true, false), new Endpoint(false, false, false, true)));

  private static Endpoint ready(boolean here) {
    return new Endpoint(here, true, true, false);
  }

  private static Endpoint ending(boolean here) {
    return new Endpoint(here, false, true, true);
  }

  /** Addresses of one family. */
  private record Names(
      String node,
      String cluster,
      String external,
      String balancer,
      String here,
      String there,
      String pod,
      String outside) {
    String of(Front front) {
      return switch (front) {
        case CLUSTER_IP -> cluster;
        case EXTERNAL_IP -> external;
        case LOAD_BALANCER -> balancer;
        case NODE_PORT -> node;
      };
    }

    String of(Client client) {
      return switch (client) {
        case POD -> pod;
        case ENDPOINT -> here;
        case NODE -> node;
        case OUTSIDE -> outside;
      };
    }
  }

  private static final Names FOUR =
      new Names(
          "192.168.0.2",
          "10.96.0.10",
          "198.51.100.9",
          "203.0.113.80",
          "10.244.0.5",
          "10.244.1.6",
          "10.244.0.77",
          "203.0.113.9");

  private static final Names SIX =
      new Names(
          "2001:db8::2",
          "fd00:96::10",
          "2001:db8:e::9",
          "2001:db8:f::80",
          "fd00:244::5",
          "fd00:244:1::6",
          "fd00:244::77",
          "2001:db8:9::9");

  private static String manifests(
      List<Endpoint> layout, boolean internalLocal, boolean externalLocal) {
    StringBuilder text =
        new StringBuilder(
            """
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: web, namespace: d}
            spec:
              type: LoadBalancer
              clusterIP: %s
              clusterIPs: [%s, "%s"]
              externalIPs: [%s, "%s"]
              internalTrafficPolicy: %s
              externalTrafficPolicy: %s
              ports:
                - {name: t, protocol: TCP, port: 80, nodePort: 30080}
                - {name: u, protocol: UDP, port: 80, nodePort: 30080}
                - {name: s, protocol: SCTP, port: 80, nodePort: 30080}
            status: {loadBalancer: {ingress: [{ip: %s}, {ip: "%s"}]}}
            ---
            {apiVersion: v1, kind: Node, metadata: {name: node-1},
             spec: {podCIDRs: [10.244.0.0/24, "fd00:244::/64"]}}
            """
                .formatted(
                    FOUR.cluster,
                    FOUR.cluster,
                    SIX.cluster,
                    FOUR.external,
                    SIX.external,
                    internalLocal ? "Local" : "Cluster",
                    externalLocal ? "Local" : "Cluster",
                    FOUR.balancer,
                    SIX.balancer));
    for (Names names : List.of(FOUR, SIX)) {
      text.append(
          """
          ---
          apiVersion: discovery.k8s.io/v1
          kind: EndpointSlice
          metadata: {name: web-%s, namespace: d, labels: {kubernetes.io/service-name: web}}
          addressType: %s
          ports:
            - {name: t, protocol: TCP, port: 8080}
            - {name: u, protocol: UDP, port: 8080}
            - {name: s, protocol: SCTP, port: 8080}
          endpoints:
          """
              .formatted(names.equals(FOUR) ? "4" : "6", names.equals(FOUR) ? "IPv4" : "IPv6"));
      for (Endpoint endpoint : layout) {
        text.append(
            "  - {addresses: [\"%s\"], nodeName: %s, conditions: {ready: %s, serving: %s, terminating: %s}}\n"
                .formatted(
                    endpoint.here ? names.here : names.there,
                    endpoint.here ? "node-1" : "node-2",
                    endpoint.ready,
                    endpoint.serving,
                    endpoint.terminating));
      }
    }
    return text.toString();
  }

  private static List<String> usable(List<Endpoint> layout, boolean localOnly, Names names) {
    List<Endpoint> set = layout.stream().filter(e -> !localOnly || e.here).toList();
    List<Endpoint> ready = set.stream().filter(Endpoint::ready).toList();
    List<Endpoint> chosen =
        ready.isEmpty() ? set.stream().filter(e -> e.serving && e.terminating).toList() : ready;
    return chosen.stream()
        .map(e -> e.here ? names.here : names.there)
        .map(a -> (a.contains(":") ? "[" + a + "]" : a) + ":8080")
        .sorted()
        .toList();
  }

  /** What semantics.md says: verdict, reason, candidates; whether the policy masquerades. */
  private record Expected(String verdict, List<String> candidates, boolean masquerade) {}

  private static Expected model(
      List<Endpoint> layout, boolean local, Front front, Client client, Names names) {
    List<String> cluster = usable(layout, false, names);
    if (cluster.isEmpty()) {
      return new Expected("reject NO_ENDPOINTS", List.of(), false);
    }
    boolean external = front != Front.CLUSTER_IP;
    boolean ofThisNode = client != Client.OUTSIDE;
    boolean shortCircuit = local && external && ofThisNode;
    List<String> set = local && !shortCircuit ? usable(layout, true, names) : cluster;
    if (set.isEmpty()) {
      return new Expected("drop NO_LOCAL_ENDPOINTS", List.of(), false);
    }
    boolean masquerade = external && (!local || client == Client.NODE);
    return new Expected("forward", set, masquerade);
  }

  @Test
  void shouldAgreeWithTheModelAndWithThePackets() {
    int flows = 0;
    List<String> wrong = new ArrayList<>();
    String config =
        """
        node: node-1
        nodeAddresses: [192.168.0.2, "2001:db8::2"]
        podNetworks: [10.244.0.0/16, "fd00:244::/32"]
        """;
    for (List<Endpoint> layout : LAYOUTS) {
      for (int policies = 0; policies < 3; policies++) {
        boolean internalLocal = policies == 1;
        boolean externalLocal = policies == 2;
        try (Case node =
            new Case(folder, config, manifests(layout, internalLocal, externalLocal))) {
          for (Front front : Front.values()) {
            boolean local = front == Front.CLUSTER_IP ? internalLocal : externalLocal;
            for (Client client : Client.values()) {
              for (Names names : List.of(FOUR, SIX)) {
                Expected expected = model(layout, local, front, client, names);
                for (String protocol : List.of("TCP", "UDP", "SCTP")) {
                  String flow =
                      "%s %s > %s"
                          .formatted(
                              protocol,
                              endpoint(names.of(client), 40_000 + flows),
                              endpoint(names.of(front), front == Front.NODE_PORT ? 30_080 : 80));
                  check(node, flow, front, names.of(client), expected, wrong);
                  flows++;
                }
              }
            }
          }
        }
      }
    }
    assertEquals(List.of(), wrong, flows + " flows");
    assertEquals(2016, flows);
  }

  private static String endpoint(String address, int port) {
    return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
  }

  private static void check(
      Case node, String flow, Front front, String client, Expected expected, List<String> wrong) {
    Explanation said = node.explain(flow);
    String verdict = said.verdict() + (said.reason() == null ? "" : " " + said.reason());
    boolean hairpin = said.endpoint() != null && said.endpoint().equals(endpoint(client, 8080));
    if (!verdict.equals(expected.verdict)
        || !said.candidates().equals(expected.candidates)
        || !front.label.equals(said.frontend())
        || said.masquerade() != (expected.masquerade || hairpin)
        || !String.valueOf(said.service()).startsWith("d/web:")) {
      wrong.add(flow + ": expected " + expected + ", got " + said);
    }
    String packet = node.forward(flow);
    if (!packet.equals(Case.line(said, flow))) {
      wrong.add(flow + ": the packet: " + packet + ", explain: " + Case.line(said, flow));
    }
    assertTrue(wrong.size() < 20, wrong::toString);
  }
}
