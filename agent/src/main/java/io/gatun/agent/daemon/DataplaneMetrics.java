package io.gatun.agent.daemon;

import io.gatun.agent.Version;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.Verdict;
import io.gatun.worker.WorkerCounters;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.function.ToLongFunction;

/** The data path's counters and tables, read when Prometheus asks. */
final class DataplaneMetrics {
  private static final List<String> VERDICTS =
      List.of("", "sent", "host", "answered", "dropped", "joined", "held");

  private final Dataplane dataplane;
  private final LivePorts ports;
  private final PrometheusRegistry registry;

  private DataplaneMetrics(Dataplane dataplane, LivePorts ports, PrometheusRegistry registry) {
    this.dataplane = dataplane;
    this.ports = ports;
    this.registry = registry;
  }

  static void register(
      PrometheusRegistry registry,
      Dataplane dataplane,
      LivePorts ports,
      GatunConfiguration configuration) {
    DataplaneMetrics metrics = new DataplaneMetrics(dataplane, ports, registry);
    GaugeWithCallback.builder()
        .name("gatun_build_info")
        .help("1; what runs here.")
        .labelNames("version", "node")
        .callback(told -> told.call(1, Version.line(), configuration.node()))
        .register(registry);
    metrics.packets();
    metrics.perPort();
    metrics.workers();
    metrics.tables(configuration);
    CycleMetrics.register(registry, dataplane.crew());
  }

  private void packets() {
    CounterWithCallback.builder()
        .name("gatun_packets_total")
        .help("Packets by what became of them.")
        .labelNames("verdict")
        .callback(told -> {
          for (int verdict = Verdict.SEND; verdict < VERDICTS.size(); verdict++) {
            int which = verdict;
            told.call(sum(worker -> worker.verdicts(which)), VERDICTS.get(verdict));
          }
        })
        .register(registry);
    CounterWithCallback.builder()
        .name("gatun_drops_total")
        .help("Packets dropped, by reason (gatun drops says what each means).")
        .labelNames("reason")
        .callback(told -> {
          for (DropReason reason : DropReason.values()) {
            told.call(sum(worker -> worker.drops(reason)), reason.label());
          }
        })
        .register(registry);
  }

  private void perPort() {
    perPort("receive_packets", "Frames received.", PortCounts::rxFrames);
    perPort("receive_bytes", "Bytes received.", PortCounts::rxBytes);
    perPort("transmit_packets", "Frames sent.", PortCounts::txFrames);
    perPort("transmit_bytes", "Bytes sent.", PortCounts::txBytes);
    CounterWithCallback.builder()
        .name("gatun_port_kernel_dropped_total")
        .help("Frames that the kernel dropped on their way to us.")
        .labelNames("port")
        .callback(told -> {
          for (LivePorts.Live live : ports.ports()) {
            try {
              told.call((double) live.port().kernelDropped(), live.port().name());
            } catch (NativeException e) {
              // given up between two lines
            }
          }
        })
        .register(registry);
    GaugeWithCallback.builder()
        .name("gatun_port_up")
        .help("1 while the port can send.")
        .labelNames("port", "role", "driver")
        .callback(told -> {
          for (LivePorts.Live live : ports.ports()) {
            told.call(
                live.port().up() ? 1 : 0,
                live.port().name(),
                live.taken().role().name().toLowerCase(Locale.ROOT),
                live.taken().driver().name().toLowerCase(Locale.ROOT));
          }
        })
        .register(registry);
  }

  private void perPort(String name, String help, ToLongFunction<PortCounts> count) {
    CounterWithCallback.builder()
        .name("gatun_port_" + name + "_total")
        .help(help)
        .labelNames("port")
        .callback(told -> {
          for (LivePorts.Live live : ports.ports()) {
            PortCounts counts =
                PortCounts.of(dataplane.crew().counters(), live.port().number()).since(live.base());
            told.call((double) count.applyAsLong(counts), live.port().name());
          }
        })
        .register(registry);
  }

  private void workers() {
    perWorker("cycles", "Duty cycles.", WorkerCounters::heartbeat);
    perWorker("idle_cycles", "Duty cycles that found nothing to do.", WorkerCounters::idleCycles);
    perWorker("handed_off_packets", "Frames given to other workers.", WorkerCounters::handedOff);
    gauge(
        "gatun_lease_seconds",
        "Until the kernel would take over, if the daemon stood still.",
        () -> (dataplane.leases().until() - Libc.monotonicNanos()) / 1e9);
  }

  private void perWorker(String name, String help, ToLongFunction<WorkerCounters> count) {
    CounterWithCallback.builder()
        .name("gatun_worker_" + name + "_total")
        .help(help)
        .labelNames("worker")
        .callback(told -> {
          List<WorkerCounters> workers = dataplane.crew().counters();
          for (int i = 0; i < workers.size(); i++) {
            told.call((double) count.applyAsLong(workers.get(i)), String.valueOf(i));
          }
        })
        .register(registry);
  }

  private void tables(GatunConfiguration configuration) {
    gauge("gatun_flows", "Flows there are.", () -> dataplane.tables().flows().size());
    gauge(
        "gatun_flows_capacity", "Flows there may be.", () -> dataplane.tables().flows().capacity());
    gauge(
        "gatun_flows_bytes", "Memory of the flow table.", () -> dataplane.tables().flows().bytes());
    gauge(
        "gatun_fronts",
        "Service addresses and ports served.",
        () -> dataplane.tables().services().size());
    gauge("gatun_routes", "Routes.", () -> dataplane.tables().fib().size());
    GatunConfiguration.PortRange snat = configuration.snatPorts();
    gauge(
        "gatun_snat_ports",
        "Ports that masqueraded flows may have towards one destination"
            + " (exhaustion: gatun_drops_total{reason=\"snat_ports_exhausted\"}).",
        () -> snat.last() - snat.first() + 1);
  }

  private void gauge(String name, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(told -> told.call(value.getAsDouble()))
        .register(registry);
  }

  private double sum(ToLongFunction<WorkerCounters> what) {
    return dataplane.crew().counters().stream().mapToLong(what).sum();
  }
}
