package io.gatun.perf;

import io.gatun.lab.Node;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.util.List;

/** {@code iperf3}; its work is counted in gigabits. */
record IperfStreams(int count) implements PodTraffic {
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
  public List<String> words(String server, int seconds) {
    return List.of(
        "iperf3",
        "-c",
        server,
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
