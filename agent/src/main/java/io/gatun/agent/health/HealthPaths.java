package io.gatun.agent.health;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.gatun.control.service.LocalEndpoints;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/** What is answered where. */
public final class HealthPaths {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TYPE = "application/json";

  private HealthPaths() {}

  /** {@code /healthz} and {@code /livez}; each code that is answered is told. */
  public static Map<String, HttpHandler> proxy(
      ProxyHealth health, IntConsumer healthz, IntConsumer livez) {
    return Map.of(
        "/healthz",
        exchange ->
            answer(exchange, health.isHealthy() && health.isEligible(), health.body(true), healthz),
        "/livez",
        exchange -> answer(exchange, health.isHealthy(), health.body(false), livez));
  }

  /** A health check node port: every path, as kube-proxy's. */
  static Map<String, HttpHandler> service(
      ProxyHealth health, Supplier<LocalEndpoints.Check> check) {
    return Map.of(
        "*",
        exchange -> {
          LocalEndpoints.Check now = check.get();
          Map<String, Object> service = new LinkedHashMap<>();
          service.put("namespace", now.service().namespace());
          service.put("name", now.service().name());
          Map<String, Object> body = new LinkedHashMap<>();
          body.put("service", service);
          body.put("localEndpoints", now.endpoints());
          body.put("serviceProxyHealthy", health.isHealthy());
          exchange
              .getResponseHeaders()
              .set("X-Load-Balancing-Endpoint-Weight", String.valueOf(now.endpoints()));
          answer(exchange, now.endpoints() > 0 && health.isHealthy(), body, code -> {});
        });
  }

  private static void answer(
      HttpExchange exchange, boolean well, Map<String, Object> body, IntConsumer told)
      throws IOException {
    int code = well ? 200 : 503;
    told.accept(code);
    HttpEndpoint.send(exchange, code, TYPE, JSON.writeValueAsBytes(body));
  }
}
