package io.gatun.perf;

import io.gatun.lab.Node;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How long a small request and its response take over a TCP connection from a pod through a
 * ClusterIP to another pod of the same node, one at a time, by sockperf.
 */
final class RequestResponseBenchmark implements Benchmark {
  private static final int BYTES = 64;

  private final NodeDataplane dataplane;

  RequestResponseBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  @Override
  public boolean isOfThisProcess(BenchOptions options) {
    return false;
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("bytes", BYTES);
    arguments.put("driver", options.driver());
    arguments.put("secondsPerRun", PodPath.seconds(options));
    return arguments;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    if (!Program.isInstalled("sockperf")) {
      throw new IOException("sockperf is not installed: apt-get install sockperf");
    }
    PodPath path = new PodPath("bench-rr", new PingPong(), PodPath.Place.SERVICE, options);
    Alternation.Runs runs = path.measure(dataplane);
    return List.of(
        Figure.cost("round trip, p50", "us", runs.ours(0), path.peer(runs, 0), null, null),
        Figure.cost("round trip, p99", "us", runs.ours(1), path.peer(runs, 1), null, null),
        Figure.cost("cpu, all cores", "s/M", runs.ours(2), path.peer(runs, 2), null, null));
  }

  /** {@code sockperf ping-pong}; its work is counted in millions of round trips. */
  private record PingPong() implements PodTraffic {
    @Override
    public String clusterIp() {
      return Cluster.BULK;
    }

    @Override
    public int port() {
      return Cluster.BULK_PORT;
    }

    @Override
    public void serve(Node pod) throws IOException {
      pod.spawn("sockperf", "sockperf", "server", "--tcp", "-p", Integer.toString(port()));
    }

    @Override
    public List<String> words(String server, int seconds) {
      return List.of(
          "sockperf",
          "ping-pong",
          "--tcp",
          "-i",
          server,
          "-p",
          Integer.toString(port()),
          "-m",
          Integer.toString(BYTES),
          "-t",
          Integer.toString(seconds),
          "--full-rtt");
    }

    @Override
    public double[] figures(String output) throws IOException {
      SockperfReport report = SockperfReport.of(output);
      return new double[] {report.median(), report.percentile99()};
    }

    @Override
    public double work(String output) throws IOException {
      return SockperfReport.of(output).roundTrips() / 1e6;
    }
  }
}
