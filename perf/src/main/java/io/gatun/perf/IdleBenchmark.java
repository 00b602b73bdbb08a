package io.gatun.perf;

import io.gatun.lab.Batch;
import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a node of many pods costs while nothing happens: the daemon's processor time and its memory.
 * Each pod has a namespace of its own, tied in as Calico does it, and answers a ping from the first
 * one before anything is measured.
 */
final class IdleBenchmark implements Benchmark {
  static final int PODS = 250;
  private static final int QUICK_PODS = 20;
  private static final double SECONDS = 10;

  /** Of waiting for its compilers. */
  private static final double ROUND_SECONDS = 3;

  private static final int MOST_ROUNDS = 30;

  /** Floor and goal: parts of a core, and MB with 64 of frames. */
  private static final double FLOOR_CPU = 3;

  private static final double GOAL_CPU = 0.5;
  private static final double FLOOR_MEMORY = 464;
  private static final double GOAL_MEMORY = 214;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final NodeDataplane dataplane;

  IdleBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("pods", pods(options));
    arguments.put("driver", options.driver());
    return arguments;
  }

  @Override
  public boolean isOfThisProcess(BenchOptions options) {
    return false;
  }

  private static int pods(BenchOptions options) {
    return options.quick() ? QUICK_PODS : PODS;
  }

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    int pods = pods(options);
    List<String> names = new ArrayList<>(List.of("node"));
    for (int i = 0; i < pods; i++) {
      names.add("p" + i);
    }
    String name = "bench-idle-" + ProcessHandle.current().pid();
    try (Lab lab = Lab.up(Lab.runDirectory(), name, names.toArray(String[]::new));
        Cleanup _ = new Cleanup(lab::down, "gatun lab down --name " + name)) {
      build(lab, pods);
      Path directory = Files.createDirectories(lab.node("node").runDirectory());
      Path config = Files.writeString(directory.resolve("gatun.yaml"), configuration(options));
      Path manifests = Files.createDirectories(directory.resolve("manifests"));
      NodeDataplane.Running running = dataplane.start(lab.node("node"), config, manifests);
      try {
        running.awaitReady(PATIENCE);
        answered(lab, pods);
        return figures(running, options);
      } finally {
        running.stop();
      }
    }
  }

  private static String configuration(BenchOptions options) {
    return """
    apiVersion: gatun.io/v1alpha1
    kind: GatunConfiguration
    node: node
    interfaces:
      - {name: "cali*", role: pod, driver: %s}
    workers: {count: 1, idle: adaptive}
    """
        .formatted(options.driver());
  }

  private static String address(int pod) {
    return "10.1." + pod / 250 + "." + (1 + pod % 250);
  }

  private static void build(Lab lab, int pods) throws IOException {
    Node node = lab.node("node");
    Batch batch = new Batch();
    batch.sysctl(node, "net.ipv4.ip_forward=0");
    batch.sysctl(node, "net.ipv6.conf.default.accept_dad=0");
    batch.ip(node, "address add 169.254.1.1/32 dev lo scope host");
    for (int i = 0; i < pods; i++) {
      String device = "cali" + i;
      Node pod = lab.node("p" + i);
      batch.ip(
          node,
          "link add "
              + device
              + " numrxqueues 1 numtxqueues 1 type veth peer name eth0 numrxqueues 1 numtxqueues 1"
              + " netns "
              + pod.namespace());
      batch.ip(node, "link set " + device + " up");
      batch.ip(node, "route add " + address(i) + "/32 dev " + device);
    }
    batch.run();
    for (int i = 0; i < pods; i++) {
      Node pod = lab.node("p" + i);
      batch.ip(pod, "address add " + address(i) + "/32 dev eth0");
      batch.ip(pod, "link set eth0 up");
      batch.ip(pod, "route add default via 169.254.1.1 dev eth0 onlink");
    }
    batch.run();
  }

  /** Every pod answers the first one, or this throws. */
  private static void answered(Lab lab, int pods) throws IOException {
    StringBuilder script = new StringBuilder();
    for (int i = 1; i < pods; i++) {
      script.append("ping -n -q -c 1 -W 4 ").append(address(i)).append(" >/dev/null || echo p");
      script.append(i).append('\n');
    }
    Command.Outcome silent =
        lab.node("p0")
            .command("sh", "-s")
            .reading(script.toString())
            .within(Duration.ofMinutes(2))
            .run()
            .orThrow();
    if (!silent.output().isBlank()) {
      throw new IllegalStateException(
          "no answer from " + silent.output().strip().replace('\n', ' '));
    }
  }

  private static List<Figure> figures(NodeDataplane.Running running, BenchOptions options)
      throws IOException {
    DaemonProcess daemon = DaemonProcess.of(running);
    double[] percent = new double[options.runs()];
    double[] megabytes = new double[options.runs()];
    double seconds = options.secondsPerRun(SECONDS);
    pause(options.quick() ? 1 : 5); // what it had to do for the pods is done
    if (!options.quick()) {
      daemon.awaitCompilers(() -> pause(ROUND_SECONDS), MOST_ROUNDS);
    }
    for (int run = 0; run < percent.length; run++) {
      long began = System.nanoTime();
      long before = daemon.ticks();
      pause(seconds);
      double spent = (daemon.ticks() - before) * 1e7;
      percent[run] = spent / (System.nanoTime() - began) * 100;
      megabytes[run] = daemon.resident() / 1e6;
    }
    return List.of(
        Figure.cost("processor time", "% of a core", percent, FLOOR_CPU, GOAL_CPU),
        Figure.cost("memory, resident", "MB", megabytes, FLOOR_MEMORY, GOAL_MEMORY));
  }

  private static void pause(double seconds) {
    try {
      Thread.sleep((long) (seconds * 1000));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
