package io.gatun.control.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class NodeAnnotationsTest {
  private record Asked(String method, String path, String type, String body) {}

  private final LinkedBlockingQueue<Asked> asked = new LinkedBlockingQueue<>();
  private final ConcurrentLinkedQueue<Integer> answers = new ConcurrentLinkedQueue<>();
  private HttpServer http;
  private ApiServer server;
  private NodeAnnotations annotations;

  @BeforeEach
  void start() throws IOException {
    http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    http.createContext("/", this::answer);
    http.start();
    server =
        ApiServer.at("http://127.0.0.1:" + http.getAddress().getPort() + "/", ApiObserver.NONE);
    annotations = new NodeAnnotations(server, "node-a");
  }

  @AfterEach
  void stop() {
    annotations.close();
    server.close();
    http.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      asked.add(
          new Asked(
              exchange.getRequestMethod(),
              exchange.getRequestURI().toString(),
              exchange.getRequestHeaders().getFirst("Content-Type"),
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
      Integer code = answers.poll();
      byte[] body = "{\"kind\":\"Status\",\"message\":\"no\"}".getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(code == null ? 200 : code, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private Asked next() throws InterruptedException {
    Asked next = asked.poll(20, TimeUnit.SECONDS);
    assertNotNull(next, "the server was not asked");
    return next;
  }

  private static JsonNode annotations(Asked request) throws IOException {
    return new ObjectMapper().readTree(request.body).path("metadata").path("annotations");
  }

  @Test
  void shouldWriteAsFlannelDoesUntilTheServerTakesIt() throws Exception {
    answers.addAll(List.of(503, 403));
    annotations.want(Map.of("flannel.alpha.coreos.com/public-ip", "192.168.0.11"));
    for (int k = 0; k < 3; k++) {
      Asked request = next();
      assertEquals("PATCH", request.method);
      assertEquals("/api/v1/nodes/node-a/status", request.path);
      assertEquals("application/strategic-merge-patch+json", request.type);
      assertEquals(
          "192.168.0.11", annotations(request).path("flannel.alpha.coreos.com/public-ip").asText());
    }
    assertEquals(null, asked.poll(2500, TimeUnit.MILLISECONDS), "once is enough");
  }

  @Test
  void shouldWriteTheLatestWish() throws Exception {
    answers.add(500);
    annotations.want(Map.of("a", "1"));
    next();
    annotations.want(Map.of("a", "2"));
    annotations.want(Map.of("a", "3"));
    assertEquals("3", annotations(next()).path("a").asText());
  }
}
