package io.gatun.agent.daemon;

import io.gatun.worker.CycleTimes;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.List;

/** How long workers' cycles and stages took, read when Prometheus asks. */
final class CycleMetrics implements Collector {
  private static final String NAME = "gatun_worker_cycle_seconds";
  private static final double NANO = 1e-9;

  private final Crew crew;

  private CycleMetrics(Crew crew) {
    this.crew = crew;
  }

  static void register(PrometheusRegistry registry, Crew crew) {
    registry.register(new CycleMetrics(crew));
    CounterWithCallback.builder()
        .name("gatun_stage_seconds_total")
        .help("Time in each stage, of the vectors that were timed: one of some dozens.")
        .labelNames("stage")
        .callback(told -> {
          List<String> names = crew.stageNames();
          for (int stage = 0; stage < names.size(); stage++) {
            int which = stage;
            long nanos = crew.times().stream().mapToLong(t -> t.stageNanos(which)).sum();
            told.call(nanos * NANO, names.get(stage));
          }
        })
        .register(registry);
    CounterWithCallback.builder()
        .name("gatun_stage_timed_packets_total")
        .help("Packets of the vectors that were timed stage by stage.")
        .callback(told ->
            told.call((double) crew.times().stream().mapToLong(CycleTimes::timedPackets).sum()))
        .register(registry);
  }

  @Override
  public MetricSnapshot collect() {
    HistogramSnapshot.Builder all =
        HistogramSnapshot.builder()
            .name(NAME)
            .help("How long duty cycles took that found something to do.");
    List<CycleTimes> workers = crew.times();
    for (int i = 0; i < workers.size(); i++) {
      all.dataPoint(
          HistogramDataPointSnapshot.builder()
              .classicHistogramBuckets(buckets(workers.get(i)))
              .sum(workers.get(i).nanos() * NANO)
              .labels(Labels.of("worker", String.valueOf(i)))
              .build());
    }
    return all.build();
  }

  private static ClassicHistogramBuckets buckets(CycleTimes times) {
    ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
    for (int i = 0; i < CycleTimes.BUCKETS; i++) {
      boolean last = i == CycleTimes.BUCKETS - 1;
      buckets.bucket(last ? Double.POSITIVE_INFINITY : CycleTimes.bound(i) * NANO, times.cycles(i));
    }
    return buckets.build();
  }
}
