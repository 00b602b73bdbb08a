package io.gatun.perf;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Nanoseconds that the stages take for a packet of established Service traffic, in memory. Writing
 * the fresh frames, which a NIC does, and looking whether they were translated are left out of the
 * time; appending them to the vector is in it.
 */
final class ServiceBenchmark implements Benchmark {
  private static final String[] STAGES = {"parse", "track", "rewrite", "route"};

  /** Long enough for the optimising compiler to have seen every loop. */
  private static final long WARM_UP_NANOS = 3_000_000_000L;

  /** docs/performance.md: nanoseconds a packet, up to a thousand flows and beyond. */
  private static final double FLOOR_NANOS = 80;

  private static final double GOAL_NANOS = 40;
  private static final double GOAL_NANOS_MANY = 80;
  private static final int FEW_FLOWS = 1000;

  /** Of the last run. */
  private long packets;

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("flows", options.flows());
    arguments.put("frameSize", ServiceTraffic.FRAME);
    arguments.put("stages", String.join(", ", STAGES));
    return arguments;
  }

  @Override
  public List<Figure> measure(BenchOptions options) {
    try (ServiceTraffic traffic = new ServiceTraffic(options.flows());
        ServicePath path = new ServicePath(traffic)) {
      round(path, WARM_UP_NANOS);
      double[] established = new double[options.runs()];
      long allocated = allocatedBytes();
      for (int run = 0; run < options.runs(); run++) {
        established[run] = round(path, options.nanosPerRun());
      }
      double bytes = (double) (allocatedBytes() - allocated) / packets / options.runs();
      List<Figure> figures = new ArrayList<>();
      boolean few = options.flows() <= FEW_FLOWS;
      figures.add(
          Figure.cost(
              "established",
              "ns/packet",
              established,
              few ? FLOOR_NANOS : null,
              few ? GOAL_NANOS : GOAL_NANOS_MANY));
      figures.addAll(byStage(path, options));
      figures.add(Figure.cost("allocated", "bytes/packet", new double[] {bytes}, null, null));
      return figures;
    }
  }

  /** Nanoseconds a packet over {@code nanos} of measured time. */
  private double round(ServicePath path, long nanos) {
    long measured = 0;
    packets = 0;
    while (measured < nanos) {
      path.refill();
      long start = System.nanoTime();
      int sent = path.forwardAll();
      measured += System.nanoTime() - start;
      if (sent != ServicePath.FRAMES) {
        throw new IllegalStateException(
            "%d of %d packets were sent on".formatted(sent, ServicePath.FRAMES));
      }
      packets += sent;
      path.verify();
    }
    return (double) measured / packets;
  }

  private static List<Figure> byStage(ServicePath path, BenchOptions options) {
    double[][] nanos = new double[STAGES.length][options.runs()];
    for (int run = 0; run < options.runs(); run++) {
      int rounds = 64;
      for (int round = 0; round < rounds; round++) {
        path.refill();
        long[] spent = path.forwardAllByStage();
        for (int k = 0; k < spent.length; k++) {
          nanos[k][run] += (double) spent[k] / ServicePath.FRAMES / rounds;
        }
      }
    }
    List<Figure> figures = new ArrayList<>();
    for (int k = 0; k < STAGES.length; k++) {
      figures.add(Figure.cost("of which " + STAGES[k], "ns/packet", nanos[k], null, null));
    }
    return figures;
  }

  private static long allocatedBytes() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }
}
