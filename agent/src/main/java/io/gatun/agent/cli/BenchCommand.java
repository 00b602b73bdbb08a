package io.gatun.agent.cli;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.UsageException;
import io.gatun.lab.demo.NodeDataplane;
import io.gatun.perf.Bench;
import io.gatun.perf.BenchOptions;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun bench NAME}: a figure, its spread, and its peer's in the same run. */
@Command(
    name = "bench",
    description = "Measure, beside a peer where one is installed.",
    footer = {
      "",
      "Example: gatun bench service --flows 1000000 -o json",
      "         gatun bench stream --streams 8 --driver packet",
      "         gatun bench veth --service",
      "         gatun bench vxlan",
      "         gatun bench lpm --routes bgp-v4.txt.xz --updates"
    })
final class BenchCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "NAME",
      description =
          "Which benchmark: churn, conntrack, first-packet, idle, lpm, reconfigure, rr, service,"
              + " stall, startup, stream, veth, vxlan.")
  private String name = "";

  @Option(
      names = "--flows",
      paramLabel = "N",
      description = "Flows under way: service, conntrack, stall, veth, vxlan.")
  private int flows = BenchOptions.FLOWS;

  @Option(names = "--streams", paramLabel = "N", description = "stream: TCP streams at once.")
  private int streams = 1;

  @Option(
      names = "--routes",
      paramLabel = "FILE",
      description = "lpm: routes, PREFIX NEXTHOP a line; .xz too.")
  private @Nullable Path routes;

  @Option(
      names = "--addresses",
      paramLabel = "FILE",
      description = "lpm: addresses to look up, one a line.")
  private @Nullable Path addresses;

  @Option(
      names = "--prefixes",
      paramLabel = "N",
      description = "lpm: so many random routes instead.")
  private int prefixes = BenchOptions.Tables.COUNT;

  @Option(names = "-6", description = "lpm: IPv6.")
  private boolean ipv6;

  @Option(names = "--updates", description = "lpm: adding and deleting routes, too.")
  private boolean updates;

  @Option(
      names = "--driver",
      paramLabel = "xdp|packet",
      description =
          "churn, first-packet, idle, startup, stream, rr, veth --service: the pods' ports.")
  private String driver = BenchOptions.DRIVER;

  @Option(
      names = "--service",
      description = "veth: through a Service; vxlan: on the wire. By the whole daemon.")
  private boolean service;

  @Option(names = "--runs", paramLabel = "N", description = "How many times; the median counts.")
  private @Nullable Integer runs;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      description = "How long in all; shared by the runs.")
  private @Nullable Double seconds;

  @Option(names = "--quick", description = "Roughly, in a few seconds.")
  private boolean quick;

  @Option(
      names = "--peer",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Measure the peer too.")
  private boolean peer = true;

  @Option(names = "--report", paramLabel = "FILE", description = "An HTML page with plots, too.")
  private @Nullable Path report;

  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    try {
      NodeDataplane gatun = name.equals("startup") ? GatunProcess::start : GatunProcess::alone;
      return Bench.run(name, options(), gatun, System.out);
    } catch (IllegalArgumentException e) {
      throw new UsageException("bench: " + e.getMessage());
    }
  }

  private BenchOptions options() {
    int usual = quick ? BenchOptions.QUICK_RUNS : BenchOptions.RUNS;
    return new BenchOptions(
        peer,
        runs == null ? usual : runs,
        seconds,
        quick,
        flows,
        streams,
        driver,
        service,
        new BenchOptions.Tables(routes, addresses, ipv6, prefixes, updates),
        output.json(),
        report);
  }
}
