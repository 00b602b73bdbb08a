package io.gatun.perf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The flow table: finding flows beside rte_hash finding keys, with as many keys, in turns; new
 * flows; bytes a flow; and what it costs a packet to be tracked, by the number of flows.
 */
final class ConntrackBenchmark implements Benchmark {
  /** What hash_perf_autotest adds. */
  private static final int FEW = 393_216;

  private static final int MANY_FLOWS = 8_000_000;
  private static final int PACKETS_PER_ROUND = 4096;
  private static final long WARM_UP_NANOS = 2_000_000_000L;

  /** Floor and goal: ratios to rte_hash. */
  private static final double FLOOR = 0.9;

  private static final double GOAL = 1.5;

  /** Nanoseconds of a new flow: a million a second, three million. */
  private static final double FLOOR_NEW = 1000;

  private static final double GOAL_NEW = 333;
  private static final double FLOOR_BYTES = 192;
  private static final int USUAL_FLOWS = 1000;

  /** Huge pages that others on the machine may take while we run. */
  private static final int SPARE_MEGABYTES = 64;

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("keys", FEW);
    arguments.put("flows", flows(options));
    return arguments;
  }

  /** Without {@code --flows}: as many as the issue names. */
  private static int flows(BenchOptions options) {
    return options.flows() == BenchOptions.FLOWS ? MANY_FLOWS : options.flows();
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    boolean peer = options.peer() && RteHash.isAvailable();
    Path folder = Files.createTempDirectory("gatun-bench-conntrack");
    List<Figure> figures = new ArrayList<>();
    try {
      lookups(options, FEW, FEW + " keys", peer ? folder : null, figures);
      if (!options.quick()) {
        int many = flows(options);
        lookups(options, 2 * many, many + " flows", peer ? folder : null, figures);
      }
    } finally {
      for (String name : List.of("rte_hash_peer.c", "rte_hash_peer")) {
        Files.deleteIfExists(folder.resolve(name));
      }
      Files.delete(folder);
    }
    figures.add(churn(options));
    figures.add(tracking(options, USUAL_FLOWS));
    figures.add(tracking(options, 1_000_000));
    return figures;
  }

  private static void lookups(
      BenchOptions options, int keys, String what, @Nullable Path folder, List<Figure> figures)
      throws IOException {
    double seconds = options.secondsPerRun(1);
    RteHash peer = folder == null ? null : RteHash.build(folder, keys, seconds);
    int megabytes = 200 + (int) (200L * keys >> 20); // two tables
    try (HugePages pages =
            HugePages.reserve(megabytes + (peer == null ? 0 : peer.megabytes() + SPARE_MEGABYTES));
        FlowLookups hits = FlowLookups.of(keys, true);
        FlowLookups misses = FlowLookups.of(keys, false)) {
      Rounds rounds = new Rounds(PACKETS_PER_ROUND);
      rounds.run(hits::lookUp, WARM_UP_NANOS);
      rounds.run(misses::lookUp, WARM_UP_NANOS / 2);
      Ours ours = new Ours(hits, misses, rounds, (long) (seconds / 2 * 1e9));
      Alternation.Runs runs =
          peer == null
              ? Alternation.alone(options.runs(), ours)
              : Alternation.of(options.runs(), ours, new Theirs(peer, pages));
      for (int which = 0; which < 2; which++) {
        Figure.Peer theirs =
            peer == null ? null : Figure.Peer.of(RteHash.NAME, runs.peer(which), peer.command());
        String name = (which == 0 ? "hit, " : "miss, ") + what;
        figures.add(Figure.cost(name, "ns", runs.ours(which), theirs, FLOOR, GOAL));
      }
      double[] bytes = {hits.bytesPerFlow()};
      figures.add(Figure.cost("a flow, " + what, "bytes", bytes, FLOOR_BYTES, FLOOR_BYTES));
    }
  }

  private static Figure churn(BenchOptions options) {
    double[] nanos = new double[options.runs()];
    try (FlowChurn churn = new FlowChurn()) {
      Rounds rounds = new Rounds(PACKETS_PER_ROUND);
      rounds.run(churn::make, WARM_UP_NANOS);
      for (int run = 0; run < nanos.length; run++) {
        nanos[run] = rounds.run(churn::make, options.nanosPerRun());
      }
      churn.verify();
    }
    return Figure.cost("new flow, with expiry", "ns", nanos, FLOOR_NEW, GOAL_NEW);
  }

  private static Figure tracking(BenchOptions options, int flows) {
    double[] nanos = new double[options.runs()];
    try (FlowLookups lookups = FlowLookups.of(2 * flows, true)) {
      Rounds rounds = new Rounds(PACKETS_PER_ROUND);
      rounds.run(lookups::lookUp, WARM_UP_NANOS / 2);
      for (int run = 0; run < nanos.length; run++) {
        nanos[run] = rounds.run(lookups::lookUp, options.nanosPerRun() / 2);
      }
      lookups.verify();
    }
    return Figure.cost("tracking, " + flows + " flows", "ns/packet", nanos, null, null);
  }

  private record Ours(FlowLookups hits, FlowLookups misses, Rounds rounds, long nanos)
      implements Alternation.Side {
    @Override
    public void enter() {}

    @Override
    public double[] measure() {
      double hit = rounds.run(hits::lookUp, nanos);
      hits.verify();
      double miss = rounds.run(misses::lookUp, nanos);
      misses.verify();
      return new double[] {hit, miss};
    }

    @Override
    public void leave() {}
  }

  private record Theirs(RteHash peer, HugePages pages) implements Alternation.Side {
    @Override
    public void enter() throws IOException {
      pages.haveFree(peer.megabytes() + SPARE_MEGABYTES);
    }

    @Override
    public double[] measure() throws IOException {
      return peer.measure();
    }

    @Override
    public void leave() {}
  }
}
