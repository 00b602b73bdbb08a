package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.health.HealthCheckPorts;
import io.gatun.agent.health.HealthPaths;
import io.gatun.agent.health.HttpEndpoint;
import io.gatun.agent.health.ProxyHealth;
import io.gatun.agent.metrics.MetricsPath;
import io.gatun.agent.metrics.ProcessMetrics;
import io.gatun.agent.metrics.ProxyMetrics;
import io.gatun.control.ControlThread;
import io.gatun.control.service.LocalEndpoints;
import io.gatun.control.service.NodeFate;
import io.gatun.control.service.UnenforcedPolicies;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * What others may ask of a node: metrics, health, health check node ports. For the thread that
 * starts and ends the daemon.
 */
final class Observability implements AutoCloseable {
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final ProxyMetrics metrics = new ProxyMetrics(registry, "apiserver");
  private final LocalEndpoints endpoints = new LocalEndpoints();
  private final NodeFate fate = new NodeFate();
  private final UnenforcedPolicies policies = new UnenforcedPolicies();
  private final List<HttpEndpoint.Closing> open = new ArrayList<>();

  /** Who is told how it goes with the API server. */
  ProxyMetrics metrics() {
    return metrics;
  }

  /** Before the first cycle of {@code control}. */
  void follow(ControlThread control) {
    control.follow(endpoints);
    control.follow(fate);
    control.follow(policies);
  }

  /** Answers from now on. */
  void start(
      GatunConfiguration configuration,
      ControlThread control,
      Dataplane dataplane,
      LivePorts ports,
      Origin origin) {
    metrics.follow(
        registry, control.progress(), endpoints, dataplane.tables().services()::staleFlows);
    GaugeWithCallback.builder()
        .name("gatun_unenforced_network_policies")
        .help("NetworkPolicies that select pods of this node, where nothing enforces them.")
        .callback(told -> told.call(policies.count()))
        .register(registry);
    GaugeWithCallback.builder()
        .name("gatun_api_followed")
        .help("1 while all that was asked of the API server is answered; 0 without one, too.")
        .callback(told -> told.call(origin.isFollowed() ? 1 : 0))
        .register(registry);
    DataplaneMetrics.register(registry, dataplane, ports, configuration);
    ProcessMetrics.register(registry);
    ProxyHealth health = new ProxyHealth(control.progress(), fate);
    InetSocketAddress metricsAt = configuration.proxy().metricsBindAddress();
    open.add(HttpEndpoint.open(metricsAt, MetricsPath.of(registry)));
    open.add(
        HttpEndpoint.open(
            configuration.proxy().healthzBindAddress(),
            HealthPaths.proxy(health, metrics::healthz, metrics::livez)));
    open.add(new HealthCheckPorts(endpoints, health).start()::close);
  }

  @Override
  public void close() {
    for (HttpEndpoint.Closing one : open) {
      one.close();
    }
  }
}
