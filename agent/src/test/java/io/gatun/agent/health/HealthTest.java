package io.gatun.agent.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.control.Progress;
import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ObjectSet;
import io.gatun.control.service.LocalEndpoints;
import io.gatun.control.service.NodeFate;
import io.gatun.control.service.NodeView;
import io.gatun.control.service.UnenforcedPolicies;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Codes and bodies are kube-proxy's. */
class HealthTest {
  private static final NodeView NODE = NodeView.of("node-1", List.of());

  private final NodeFate fate = new NodeFate();
  private final ProxyHealth health = new ProxyHealth(new Progress(), fate);

  private static ObjectSet objects(String text) throws Exception {
    return ObjectSet.of(ManifestReader.read("m", text).objects());
  }

  private static HttpResponse<String> get(HttpEndpoint endpoint, String path, String method)
      throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + endpoint.address().getPort() + path))
              .method(method, HttpRequest.BodyPublishers.noBody())
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  private static InetSocketAddress anyPort() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  @Test
  void shouldAnswerAsTheNodesFateSays() throws Exception {
    List<Integer> codes = new ArrayList<>();
    try (HttpEndpoint endpoint =
        new HttpEndpoint(anyPort(), HealthPaths.proxy(health, codes::add, codes::add))) {
      JsonNode body = new ObjectMapper().readTree(get(endpoint, "/healthz", "GET").body());
      assertEquals(
          List.of("lastUpdated", "currentTime", "nodeEligible", "healthy", "status"),
          new ArrayList<>(body.properties().stream().map(e -> e.getKey()).toList()));
      assertTrue(body.get("healthy").asBoolean() && body.get("nodeEligible").asBoolean());
      assertTrue(body.get("status").get("IPv4").get("healthy").asBoolean());
      fate.surroundings(
          objects(
              "{apiVersion: v1, kind: Node, metadata: {name: node-1}, spec: {taints: [{key: ToBeDeletedByClusterAutoscaler}]}}"),
          NODE);
      assertEquals(503, get(endpoint, "/healthz", "GET").statusCode());
      assertEquals(200, get(endpoint, "/livez", "GET").statusCode());
      assertEquals(200, get(endpoint, "/livez", "HEAD").statusCode());
      fate.surroundings(
          objects(
              "{apiVersion: v1, kind: Node, metadata: {name: node-1, deletionTimestamp: \"2026-11-21T10:00:00Z\"}}"),
          NODE);
      assertEquals(503, get(endpoint, "/healthz", "GET").statusCode());
      fate.surroundings(objects("{apiVersion: v1, kind: Node, metadata: {name: node-1}}"), NODE);
      assertEquals(200, get(endpoint, "/healthz", "GET").statusCode());
      assertEquals(404, get(endpoint, "/other", "GET").statusCode());
      assertEquals(405, get(endpoint, "/healthz", "POST").statusCode());
      assertEquals(List.of(200, 503, 200, 200, 503, 200), codes);
    }
  }

  private static String services(boolean ready) {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: lb, namespace: default}
    spec:
      type: LoadBalancer
      clusterIP: 10.96.0.1
      externalTrafficPolicy: Local
      internalTrafficPolicy: Local
      healthCheckNodePort: 32000
      ports: [{port: 80, nodePort: 30080}]
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: lb-1, namespace: default, labels: {kubernetes.io/service-name: lb}}
    addressType: IPv4
    ports: [{port: 8080}, {name: other, port: 8081}]
    endpoints:
      - {addresses: [10.244.1.1], nodeName: node-1, conditions: {ready: %1$s}}
      - {addresses: [10.244.1.2], nodeName: node-1, conditions: {ready: false}}
      - {addresses: [10.244.2.1], nodeName: node-2}
    """
        .formatted(ready);
  }

  @Test
  void shouldCountReadyEndpointsOfThisNode() throws Exception {
    LocalEndpoints endpoints = new LocalEndpoints();
    ObjectName lb = new ObjectName("default", "lb");
    endpoints.services(objects(services(true)), List.of(lb), NODE);
    assertEquals(List.of(new LocalEndpoints.Check(lb, 32000, 1)), endpoints.checks());
    try (HttpEndpoint endpoint =
        new HttpEndpoint(
            anyPort(), HealthPaths.service(health, () -> endpoints.checks().getFirst()))) {
      HttpResponse<String> answer = get(endpoint, "/", "GET");
      assertEquals(200, answer.statusCode());
      assertEquals("1", answer.headers().firstValue("X-Load-Balancing-Endpoint-Weight").orElse(""));
      assertEquals(
          "{\"service\":{\"namespace\":\"default\",\"name\":\"lb\"},\"localEndpoints\":1,\"serviceProxyHealthy\":true}",
          answer.body());
      endpoints.services(objects(services(false)), List.of(lb), NODE);
      answer = get(endpoint, "/healthz", "GET");
      assertEquals(503, answer.statusCode());
      assertEquals("0", answer.headers().firstValue("X-Load-Balancing-Endpoint-Weight").orElse(""));
    }
    endpoints.services(ObjectSet.EMPTY, List.of(lb), NODE);
    assertEquals(List.of(), endpoints.checks());
  }

  @Test
  void shouldCountServicesWithoutLocalEndpoints() throws Exception {
    LocalEndpoints endpoints = new LocalEndpoints();
    List<ObjectName> lb = List.of(new ObjectName("default", "lb"));
    endpoints.services(objects(services(true)), lb, NodeView.of("node-3", List.of()));
    assertEquals(1, endpoints.withoutInternal());
    assertEquals(1, endpoints.withoutExternal());
    endpoints.services(objects(services(true)), lb, NODE);
    assertEquals(0, endpoints.withoutInternal());
    assertEquals(0, endpoints.withoutExternal());
  }

  @Test
  void shouldCountPoliciesThatSelectPodsOfThisNode() throws Exception {
    String pods =
        """
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: {app: web, tier: front}}, spec: {nodeName: node-1, containers: []}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: h, namespace: host}, spec: {nodeName: node-1, hostNetwork: true, containers: []}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: far, namespace: far}, spec: {nodeName: node-2, containers: []}}
        ---
        """;
    UnenforcedPolicies policies = new UnenforcedPolicies();
    for (Object[] one :
        new Object[][] {
          {"shop", "{}", 1},
          {"shop", "{matchLabels: {app: web}}", 1},
          {"shop", "{matchLabels: {app: db}}", 0},
          {"shop", "{matchExpressions: [{key: tier, operator: In, values: [front, back]}]}", 1},
          {"shop", "{matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}", 0},
          {"shop", "{matchExpressions: [{key: x, operator: DoesNotExist}]}", 1},
          {"shop", "{matchExpressions: [{key: x, operator: Exists}]}", 0},
          {"host", "{}", 0},
          {"far", "{}", 0},
          {"empty", "{}", 0},
        }) {
      policies.surroundings(
          objects(
              pods
                  + "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: %s}, spec: {podSelector: %s}}"
                      .formatted(one[0], one[1])),
          NODE);
      assertEquals(one[2], policies.count(), one[0] + " " + one[1]);
    }
  }

  /** Each would keep a descriptor of the daemon's. */
  @Test
  void shouldCloseConnectionsThatAskTooSlowly() throws Exception {
    try (HttpEndpoint endpoint =
        new HttpEndpoint(anyPort(), HealthPaths.proxy(health, _ -> {}, _ -> {}))) {
      InetSocketAddress at = endpoint.address();
      try (Socket drop = new Socket(at.getAddress(), at.getPort());
          Socket silent = new Socket(at.getAddress(), at.getPort())) {
        drop.getOutputStream().write("GET /healthz HT".getBytes(StandardCharsets.US_ASCII));
        for (Socket one : List.of(drop, silent)) {
          one.setSoTimeout(25_000);
          assertEquals(-1, one.getInputStream().read(), "closed without a word");
        }
      }
      assertEquals(200, get(endpoint, "/healthz", "GET").statusCode());
    }
  }
}
