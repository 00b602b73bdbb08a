package io.gatun.perf;

import io.gatun.lab.Node;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** TCP streams from a pod through a ClusterIP to another pod of the same node, by iperf3. */
final class StreamBenchmark implements Benchmark {
  /** docs/performance.md: ratio to the kernel, with the drivers xdp and packet. */
  private static final double FLOOR_XDP = 0.12;

  private static final double FLOOR_PACKET = 0.5;
  private static final double GOAL = 1.0;

  private final NodeDataplane dataplane;

  StreamBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  @Override
  public boolean isOfThisProcess(BenchOptions options) {
    return false;
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("streams", options.streams());
    arguments.put("mtu", 1500);
    arguments.put("driver", options.driver());
    arguments.put("secondsPerRun", PodPath.seconds(options));
    return arguments;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    PodPath path = new PodPath("bench-stream", new Streams(options.streams()), options);
    Alternation.Runs runs = path.measure(dataplane);
    double floor = options.driver().equals("xdp") ? FLOOR_XDP : FLOOR_PACKET;
    return List.of(
        Figure.rate("stream", "Gbit/s", runs.ours(0), path.peer(runs, 0), floor, GOAL),
        Figure.cost("cpu, all cores", "s/Gbit", runs.ours(1), path.peer(runs, 1), null, null));
  }

  /** {@code iperf3}; its work is counted in gigabits. */
  private record Streams(int count) implements PodTraffic {
    /** Slow start, which is left out. */
    private static final int OMITTED_SECONDS = 1;

    @Override
    public String clusterIp() {
      return Cluster.STREAM;
    }

    @Override
    public int port() {
      return 5201;
    }

    @Override
    public void serve(Node pod) throws IOException {
      pod.spawn("iperf3", "iperf3", "--server");
    }

    @Override
    public List<String> words(int seconds) {
      return List.of(
          "iperf3",
          "-c",
          clusterIp(),
          "-P",
          Integer.toString(count),
          "-O",
          Integer.toString(OMITTED_SECONDS),
          "-t",
          Integer.toString(seconds),
          "--connect-timeout",
          "3000",
          "-J");
    }

    @Override
    public double[] figures(String output) throws IOException {
      return new double[] {IperfReport.of(output).gigabitsPerSecond()};
    }

    @Override
    public double work(String output) throws IOException {
      return IperfReport.of(output).gigabits();
    }
  }
}
