package io.gatun.agent.metrics;

import com.sun.net.httpserver.HttpHandler;
import io.gatun.agent.health.HttpEndpoint;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.util.Map;

/** {@code /metrics}: Prometheus' text format, and nothing else. */
public final class MetricsPath {
  private static final PrometheusTextFormatWriter TEXT =
      PrometheusTextFormatWriter.builder().build();

  private MetricsPath() {}

  /** What is answered at {@code metricsBindAddress}. */
  public static Map<String, HttpHandler> of(PrometheusRegistry registry) {
    return Map.of(
        "/metrics",
        exchange -> {
          ByteArrayOutputStream body = new ByteArrayOutputStream(1 << 16);
          TEXT.write(body, registry.scrape());
          HttpEndpoint.send(exchange, 200, TEXT.getContentType(), body.toByteArray());
        });
  }
}
