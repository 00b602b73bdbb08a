package io.gatun.perf;

import io.gatun.ffm.Libc;
import io.gatun.worker.OtherThreads;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The longest time in which a worker did nothing while 50,000 Services × 5 were loaded and 1,000
 * changes a second followed, beside the same worker with nothing changing. Its packets are
 * established flows in memory, at full speed; none may be dropped.
 */
final class StallBenchmark implements Benchmark {
  private static final int SERVICES = 50_000;
  private static final int ENDPOINTS = 5;
  private static final double FLOOR_MILLIS = 5;
  private static final double GOAL_MILLIS = 1;
  private static final long CHANGE_NANOS = 1_000_000;
  private static final double SECONDS = 5;

  /** As a daemon with {@code workers.cpus} does it, where there is a core for everybody else. */
  private static final int WORKER_CPU = Runtime.getRuntime().availableProcessors() - 1;

  private static final boolean PINNED = WORKER_CPU > 0 && !Boolean.getBoolean("gatun.bench.nopin");

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("services", services(options));
    arguments.put("endpoints", ENDPOINTS);
    arguments.put("flows", options.flows());
    return arguments;
  }

  private static int services(BenchOptions options) {
    return options.quick() ? SERVICES / 25 : SERVICES;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    int runs = Math.min(options.runs(), options.quick() ? 1 : 3);
    if (PINNED) {
      BitSet cpus = new BitSet();
      cpus.set(WORKER_CPU);
      OtherThreads.leave(cpus, Set.of());
      OtherThreads.rank(Set.of());
    }
    double[] changing = new double[runs];
    double[] still = new double[runs];
    for (int run = 0; run < runs; run++) {
      try (ServiceTraffic traffic = new ServiceTraffic(options.flows());
          ServicePath path = new ServicePath(traffic)) {
        path.workerAlone();
        gaps(path, () -> sleep(options.secondsPerRun(SECONDS) / 5)); // compiles
        still[run] = gaps(path, () -> sleep(options.secondsPerRun(SECONDS)));
        LargeCluster cluster = new LargeCluster(services(options), ENDPOINTS, path.services());
        List<byte[]> lists = cluster.lists();
        changing[run] =
            gaps(
                path,
                () -> {
                  cluster.load(lists);
                  churn(cluster, path, options.secondsPerRun(SECONDS));
                });
        if (path.drops() > 0) {
          throw new IllegalStateException(path.drops() + " packets were dropped");
        }
      }
    }
    List<Figure> figures = new ArrayList<>();
    figures.add(Figure.cost("longest stop, changing", "ms", changing, FLOOR_MILLIS, GOAL_MILLIS));
    figures.add(Figure.cost("longest stop, nothing changing", "ms", still, null, null));
    return figures;
  }

  /** Milliseconds between two cycles of the worker, at most, while {@code work} is done here. */
  private static double gaps(ServicePath path, Work work) throws IOException {
    AtomicBoolean stop = new AtomicBoolean();
    CompletableFuture<Long> longest = new CompletableFuture<>();
    Thread worker =
        Thread.ofPlatform()
            .name("worker")
            .start(() -> {
              if (PINNED) {
                Libc.pinToCpu(WORKER_CPU);
                Libc.schedule(Libc.gettid(), 0, 0); // a daemon's worker has no rank
              }
              long most = 0;
              long before = System.nanoTime();
              while (!stop.getOpaque()) {
                path.cycle();
                long now = System.nanoTime();
                most = Math.max(most, now - before);
                before = now;
              }
              longest.complete(most);
            });
    try {
      work.run();
      stop.set(true);
      worker.join();
      return longest.get() / 1e6;
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    } finally {
      stop.set(true);
    }
  }

  private static void churn(LargeCluster cluster, ServicePath path, double seconds)
      throws IOException {
    SplittableRandom random = new SplittableRandom(3);
    long next = System.nanoTime();
    long end = next + (long) (seconds * 1e9);
    for (int round = 2; next < end; round++) {
      cluster.apply(cluster.change(random, round));
      path.reclaim();
      next += CHANGE_NANOS;
      long pause = next - System.nanoTime();
      if (pause > 0) {
        sleep(pause / 1e9);
      }
    }
  }

  private static void sleep(double seconds) {
    try {
      Thread.sleep(Duration.ofNanos((long) (seconds * 1e9)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
