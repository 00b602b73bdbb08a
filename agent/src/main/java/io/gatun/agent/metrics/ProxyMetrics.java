package io.gatun.agent.metrics;

import io.gatun.control.Progress;
import io.gatun.control.kubernetes.ApiObserver;
import io.gatun.control.service.LocalEndpoints;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** kube-proxy's metrics (kubernetes, pkg/proxy/metrics/metrics.go), names, types and buckets. */
public final class ProxyMetrics implements ApiObserver {
  private static final String SYNC = "kubeproxy_sync_proxy_rules_";
  private static final String GET = "GET";

  private final Histogram synced;
  private final Histogram programmed;
  private final Counter healthz;
  private final Counter livez;
  private final Counter requests;
  private final Histogram requestSeconds;
  private final Counter refused;
  private final Counter lists;
  private final String host;

  /** {@code host}: how the API server is called. */
  public ProxyMetrics(PrometheusRegistry registry, String host) {
    this.host = host;
    synced =
        histogram(
            registry,
            SYNC + "duration_seconds",
            "How long changes took to be applied.",
            IntStream.range(0, 15).mapToDouble(i -> 0.001 * (1 << i)).toArray());
    programmed =
        histogram(
            registry,
            "kubeproxy_network_programming_duration_seconds",
            "From what caused a change of endpoints to its being applied.",
            DoubleStream.concat(
                    DoubleStream.of(0.25, 0.5), IntStream.rangeClosed(1, 59).asDoubleStream())
                .toArray(),
            IntStream.range(0, 12).mapToDouble(i -> 60 + 5 * i).toArray(),
            IntStream.range(0, 7).mapToDouble(i -> 120 + 30 * i).toArray());
    healthz = codes(registry, "kubeproxy_proxy_healthz_total", "Answers of healthz by code.");
    livez = codes(registry, "kubeproxy_proxy_livez_total", "Answers of livez by code.");
    requests =
        Counter.builder()
            .name("rest_client_requests_total")
            .help("Requests to the API server by code.")
            .labelNames("code", "host", "method")
            .register(registry);
    requestSeconds =
        Histogram.builder()
            .name("rest_client_request_duration_seconds")
            .help("How long the API server took to begin its answer.")
            .classicOnly()
            .classicUpperBounds(0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
            .labelNames("host", "verb")
            .register(registry);
    for (String verb : new String[] {GET, "POST"}) { // dashboards ask for both
      requestSeconds.initLabelValues(host, verb);
    }
    requests.initLabelValues("200", host, GET);
    refused =
        Counter.builder()
            .name("gatun_objects_refused_total")
            .help("Objects left out because of a mistake.")
            .register(registry);
    lists =
        Counter.builder()
            .name("gatun_api_lists_total")
            .help("Kinds listed from the API server, the first time or again.")
            .register(registry);
  }

  private static Histogram histogram(
      PrometheusRegistry registry, String name, String help, double[]... bounds) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .classicOnly()
        .classicUpperBounds(Arrays.stream(bounds).flatMapToDouble(DoubleStream::of).toArray())
        .register(registry);
  }

  private static Counter codes(PrometheusRegistry registry, String name, String help) {
    Counter counter = Counter.builder().name(name).help(help).labelNames("code").register(registry);
    counter.initLabelValues("200");
    counter.initLabelValues("503");
    return counter;
  }

  /** What is only known when all is wired. */
  public void follow(
      PrometheusRegistry registry,
      Progress progress,
      LocalEndpoints endpoints,
      LongSupplier staleFlows) {
    progress.listener(took -> synced.observe(seconds(took)));
    gauge(
        registry,
        SYNC + "last_timestamp_seconds",
        "When all that is known was last applied: now, while nothing waits (kube-proxy repeats itself).",
        () ->
            (progress.pending().isZero() ? System.currentTimeMillis() : progress.appliedMillis())
                / 1e3);
    gauge(
        registry,
        SYNC + "last_queued_timestamp_seconds",
        "When a change was last taken.",
        () -> progress.queuedMillis() / 1e3);
    counter(registry, SYNC + "service_changes_total", "Changes of Services.", progress::services);
    counter(
        registry, SYNC + "endpoint_changes_total", "Changes of EndpointSlices.", progress::slices);
    gauge(
        registry,
        SYNC + "service_changes_pending",
        "Changes of Services that wait.",
        progress::pendingServices);
    gauge(
        registry,
        SYNC + "endpoint_changes_pending",
        "Changes of EndpointSlices that wait.",
        progress::pendingSlices);
    GaugeWithCallback.builder()
        .name(SYNC + "no_local_endpoints_total")
        .help("Services with a policy Local and no endpoint on this node.")
        .labelNames("traffic_policy")
        .callback(told -> {
          told.call(endpoints.withoutInternal(), "internal");
          told.call(endpoints.withoutExternal(), "external");
        })
        .register(registry);
    counter(
        registry,
        "kubeproxy_conntrack_reconciler_deleted_entries_total",
        "Flows that went because their endpoint did.",
        staleFlows);
  }

  static void gauge(PrometheusRegistry registry, String name, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(told -> told.call(value.getAsDouble()))
        .register(registry);
  }

  static void counter(PrometheusRegistry registry, String name, String help, LongSupplier value) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .callback(told -> told.call((double) value.getAsLong()))
        .register(registry);
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  /** healthz answered {@code code}. */
  public void healthz(int code) {
    healthz.labelValues(String.valueOf(code)).inc();
  }

  /** livez answered {@code code}. */
  public void livez(int code) {
    livez.labelValues(String.valueOf(code)).inc();
  }

  @Override
  public void request(int code, Duration took) {
    requests.labelValues(code == 0 ? "<error>" : String.valueOf(code), host, GET).inc();
    requestSeconds.labelValues(host, GET).observe(seconds(took));
  }

  @Override
  public void refused() {
    refused.inc();
  }

  @Override
  public void listed() {
    lists.inc();
  }

  @Override
  public void programmed(Duration since) {
    programmed.observe(Math.max(0, seconds(since)));
  }
}
