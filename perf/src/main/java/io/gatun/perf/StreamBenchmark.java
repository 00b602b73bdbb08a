package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** TCP streams from a pod through a ClusterIP to another pod of the same node, by iperf3. */
final class StreamBenchmark implements Benchmark {
  /** Floor and goal: ratio to the kernel, with the drivers xdp and packet. */
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
    PodPath path =
        new PodPath(
            "bench-stream", new IperfStreams(options.streams()), PodPath.Place.SERVICE, options);
    Alternation.Runs runs = path.measure(dataplane);
    double floor = options.driver().equals("xdp") ? FLOOR_XDP : FLOOR_PACKET;
    return List.of(
        Figure.rate("stream", "Gbit/s", runs.ours(0), path.peer(runs, 0), floor, GOAL),
        Figure.cost("cpu, all cores", "s/Gbit", runs.ours(1), path.peer(runs, 1), null, null));
  }
}
