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
 * Longest prefix match beside DPDK's tables, on the same routes and addresses. Of rte_lpm's memory
 * there is no figure to read: it is what its layout takes for these routes.
 */
final class LpmBenchmark implements Benchmark {
  private static final int ADDRESSES = 1 << 20;
  private static final long WARM_UP_NANOS = 2_000_000_000L;

  /**
   * dpdk-test-fib takes minutes to add a million nested routes to rte_lpm: beyond this many random
   * ones rte_lpm is measured by a program of ours, which fills its tables at once.
   */
  private static final int MOST_NESTED = 200_000;

  /** Floor and goal: ratios to rte_lpm, by random and by real routes, and to rte_fib. */
  private static final double FLOOR = 1.0;

  private static final double GOAL_RANDOM = 1.5;
  private static final double GOAL_REAL = 2.0;
  private static final double GOAL_FIB = 1.0;
  private static final double FLOOR_TRIE = 0.8;
  private static final double GOAL_TRIE = 1.5;
  private static final double FLOOR_MEMORY = 4;
  private static final double GOAL_MEMORY = 15;
  private static final double FLOOR_UPDATES = 0.2;
  private static final double GOAL_UPDATES = 1.0;

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    BenchOptions.Tables tables = options.tables();
    arguments.put("family", tables.ipv6() ? "IPv6" : "IPv4");
    arguments.put("routes", tables.routes() == null ? tables.count() : tables.routes().toString());
    if (tables.addresses() != null) {
      arguments.put("addresses", tables.addresses().toString());
    }
    return arguments;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    boolean peer = options.peer() && Program.isPeerInstalled("DPDK", TestFib.PROGRAM);
    BenchOptions.Tables tables = options.tables();
    Routes routes = Routes.of(tables.routes(), tables.ipv6(), tables.count());
    if (routes.isIpv6() != tables.ipv6()) {
      throw new IOException(
          tables.routes() + (routes.isIpv6() ? ": IPv6; add -6" : ": IPv4; leave -6 out"));
    }
    Map<String, long[][]> addresses = new LinkedHashMap<>();
    if (tables.addresses() == null) {
      addresses.put("uniform", routes.uniform(ADDRESSES));
      addresses.put("zipf", routes.zipf(ADDRESSES));
    } else {
      addresses.put("given", Routes.readAddresses(tables.addresses()));
    }
    Path folder = Files.createTempDirectory("gatun-bench-lpm");
    try (HugePages _ = HugePages.reserve(peer ? TestFib.MEGABYTES + 200 : 200);
        LpmTables ours = new LpmTables(routes)) {
      return measure(options, routes, addresses, ours, peer ? folder : null);
    } finally {
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static List<Figure> measure(
      BenchOptions options,
      Routes routes,
      Map<String, long[][]> addresses,
      LpmTables ours,
      @Nullable Path folder)
      throws IOException {
    List<Figure> figures = new ArrayList<>();
    double add = ours.addAll();
    double megabytes = ours.megabytes();
    boolean real = options.tables().routes() != null;
    Sides sides = new Sides(options, routes, ours, folder);
    for (Map.Entry<String, long[][]> set : addresses.entrySet()) {
      ours.verify(set.getValue());
      ours.lookup(set.getValue(), WARM_UP_NANOS);
      Alternation.Runs runs = sides.lookups(set.getKey(), set.getValue());
      String what = "lookup, " + set.getKey();
      if (!runs.hasPeer()) {
        figures.add(Figure.cost(what, "ns", runs.ours(0), null, null));
      } else if (routes.isIpv6()) {
        figures.add(against("rte_fib6", what, runs, 0, sides, FLOOR_TRIE, GOAL_TRIE));
      } else if (!runs.hasPeer(1)) {
        figures.add(against("rte_fib", what, runs, 0, sides, null, GOAL_FIB));
      } else {
        double goal = real ? GOAL_REAL : GOAL_RANDOM;
        figures.add(against("rte_lpm", what, runs, 1, sides, FLOOR, goal));
        figures.add(against("rte_fib", what, runs, 0, sides, null, GOAL_FIB));
      }
    }
    figures.add(dependent(options, addresses.values().iterator().next(), ours));
    figures.add(memory(routes, megabytes));
    if (options.tables().updates()) {
      figures.addAll(updates(options, add, ours, sides));
    }
    return figures;
  }

  private static Figure against(
      String name,
      String what,
      Alternation.Runs runs,
      int which,
      Sides sides,
      @Nullable Double floor,
      @Nullable Double goal) {
    String command = which == 0 ? sides.command() : sides.lpmCommand();
    Figure.Peer peer = Figure.Peer.of(name, runs.peer(which), command);
    return Figure.cost(what, "ns", runs.ours(0), peer, floor, goal);
  }

  private static Figure dependent(BenchOptions options, long[][] addresses, LpmTables ours) {
    double[] runs = new double[options.runs()];
    if (Integer.bitCount(addresses.length) == 1) {
      ours.dependent(addresses, WARM_UP_NANOS / 4);
      for (int run = 0; run < runs.length; run++) {
        runs[run] = ours.dependent(addresses, options.nanosPerRun() / 4);
      }
    }
    return Figure.cost("lookup, each after the last", "ns", runs, null, null);
  }

  private static Figure memory(Routes routes, double megabytes) {
    double[] ours = {megabytes};
    if (routes.isIpv6()) {
      return Figure.cost("memory", "MB", ours, null, null);
    }
    long groups =
        routes.list().stream()
            .filter(route -> route.length() > 24)
            .mapToLong(route -> route.high() >>> 40)
            .distinct()
            .count();
    double[] theirs = {((1L << 24) * 4 + groups * 256 * 4) / 1e6};
    Figure.Peer peer = Figure.Peer.of("rte_lpm", theirs, "2^24 + 256 a group, 4 bytes each");
    return Figure.cost("memory", "MB", ours, peer, FLOOR_MEMORY, GOAL_MEMORY);
  }

  private static List<Figure> updates(BenchOptions options, double add, LpmTables ours, Sides sides)
      throws IOException {
    double[] adds = new double[options.runs()];
    double[] deletes = new double[options.runs()];
    for (int run = 0; run < options.runs(); run++) {
      adds[run] = run == 0 ? add : ours.addAll();
      deletes[run] = ours.deleteAll();
    }
    Map<String, Double> theirs = sides.updates();
    return List.of(
        update("add", adds, theirs.get("FIB add"), sides),
        update("delete", deletes, theirs.get("FIB delete"), sides));
  }

  private static Figure update(String what, double[] ours, @Nullable Double theirs, Sides sides) {
    Figure.Peer peer =
        theirs == null ? null : Figure.Peer.of("rte_fib", new double[] {theirs}, sides.command());
    return Figure.cost(what, "ns", ours, peer, FLOOR_UPDATES, GOAL_UPDATES);
  }

  /** Ours and DPDK's in turns. */
  private static final class Sides {
    private final BenchOptions options;
    private final Routes routes;
    private final LpmTables ours;
    private final @Nullable Path folder;
    private final boolean withLpm;
    private String command = "";
    private String lpmCommand = "";

    Sides(BenchOptions options, Routes routes, LpmTables ours, @Nullable Path folder)
        throws IOException {
      this.options = options;
      this.routes = routes;
      this.ours = ours;
      this.folder = folder;
      boolean real = options.tables().routes() != null;
      withLpm = !routes.isIpv6() && (real || routes.list().size() <= MOST_NESTED);
      if (folder != null) {
        routes.write(folder.resolve("routes.txt"));
      }
    }

    String command() {
      return command;
    }

    /** Of rte_lpm, where it is another than that of all else. */
    String lpmCommand() {
      return lpmCommand.isEmpty() ? command : lpmCommand;
    }

    private TestFib testFib(Path folder, String name, boolean withLpm) {
      TestFib testFib =
          new TestFib(folder.resolve("routes.txt"), folder.resolve(name), routes.isIpv6(), withLpm);
      command = testFib.command();
      return testFib;
    }

    Alternation.Runs lookups(String name, long[][] addresses) throws IOException {
      Alternation.Side us =
          side(() -> new double[] {ours.lookup(addresses, options.nanosPerRun())});
      if (folder == null) {
        return Alternation.alone(options.runs(), us);
      }
      routes.writeAddresses(addresses, folder.resolve(name));
      TestFib testFib = testFib(folder, name, withLpm);
      DpdkProgram filled = filled(folder);
      return Alternation.of(
          options.runs(),
          us,
          side(() -> {
            Map<String, Double> seen = testFib.run(withLpm ? "LPM lookup" : "FIB lookup");
            Double lpm = filled == null ? seen.get("LPM lookup") : filled(filled, folder, name);
            return lpm == null
                ? new double[] {seen.get("FIB lookup")}
                : new double[] {seen.get("FIB lookup"), lpm};
          }));
    }

    /** Null where dpdk-test-fib measures rte_lpm, or nobody can. */
    private @Nullable DpdkProgram filled(Path folder) throws IOException {
      boolean wanted = !withLpm && !routes.isIpv6() && DpdkProgram.isBuildable("rte_lpm");
      return wanted ? DpdkProgram.build(folder, "rte_lpm_peer") : null;
    }

    private @Nullable Double filled(DpdkProgram program, Path folder, String name)
        throws IOException {
      String table = folder.resolve("routes.txt").toString();
      String addresses = folder.resolve(name).toString();
      String seconds = Double.toString(options.nanosPerRun() / 1e9);
      lpmCommand = "rte_lpm_peer " + table + " " + addresses + " " + seconds;
      return program.run(List.of("lookup"), table, addresses, seconds).get("lookup");
    }

    Map<String, Double> updates() throws IOException {
      return folder == null ? Map.of() : testFib(folder, "uniform", false).run("FIB delete");
    }

    private interface Measurement {
      double[] run() throws IOException;
    }

    private static Alternation.Side side(Measurement measurement) {
      return new Alternation.Side() {
        @Override
        public void enter() {}

        @Override
        public double[] measure() throws IOException {
          return measurement.run();
        }

        @Override
        public void leave() {}
      };
    }
  }
}
