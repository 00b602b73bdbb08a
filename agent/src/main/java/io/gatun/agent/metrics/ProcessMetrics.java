package io.gatun.agent.metrics;

import com.sun.management.UnixOperatingSystemMXBean;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;

/** The process itself, by the names that every Go program has: what dashboards ask for. */
public final class ProcessMetrics {
  private static final Path STATM = Path.of("/proc/self/statm");
  private static final int PAGE = 4096;

  private ProcessMetrics() {}

  /** Puts them into {@code registry}. */
  public static void register(PrometheusRegistry registry) {
    UnixOperatingSystemMXBean system =
        (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    CounterWithCallback.builder()
        .name("process_cpu_seconds_total")
        .help("Processor time, user and system.")
        .callback(told -> told.call(system.getProcessCpuTime() / 1e9))
        .register(registry);
    ProxyMetrics.gauge(
        registry,
        "process_start_time_seconds",
        "When the process started.",
        () -> ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3);
    ProxyMetrics.gauge(
        registry, "process_open_fds", "Open files.", system::getOpenFileDescriptorCount);
    ProxyMetrics.gauge(
        registry, "process_max_fds", "Files that may be open.", system::getMaxFileDescriptorCount);
    ProxyMetrics.gauge(
        registry, "process_virtual_memory_bytes", "Address space in use.", () -> statm(0));
    ProxyMetrics.gauge(registry, "process_resident_memory_bytes", "Memory in use.", () -> statm(1));
    ProxyMetrics.gauge(
        registry,
        "go_goroutines",
        "Threads; a Java program has no goroutines, but kube-proxy's dashboards ask for this name.",
        () -> ManagementFactory.getThreadMXBean().getThreadCount());
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    GaugeWithCallback.builder()
        .name("gatun_jvm_memory_bytes")
        .help("Memory of the virtual machine, without what is mapped for frames and tables.")
        .labelNames("area")
        .callback(told -> {
          told.call((double) memory.getHeapMemoryUsage().getUsed(), "heap");
          told.call((double) memory.getNonHeapMemoryUsage().getUsed(), "other");
        })
        .register(registry);
    CounterWithCallback.builder()
        .name("gatun_jvm_pause_seconds_total")
        .help("Time in which the collector stopped all threads, workers too.")
        .callback(told -> told.call(pauses() / 1e3))
        .register(registry);
  }

  private static long pauses() {
    long millis = 0;
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      if (!collector.getName().endsWith("Cycles")) { // ZGC's cycles run beside the program
        millis += Math.max(0, collector.getCollectionTime());
      }
    }
    return millis;
  }

  /** proc(5): size and resident, in pages. */
  private static double statm(int field) {
    try {
      return Double.parseDouble(Files.readString(STATM).split(" ", -1)[field]) * PAGE;
    } catch (IOException | NumberFormatException e) {
      return Double.NaN;
    }
  }
}
