package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import io.gatun.perf.DaemonProcess.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;

/**
 * How long a node's pods wait for a daemon that starts, seen from outside: frames are sent from a
 * veth through a ClusterIP to another one, all the time, and counted there each millisecond. Each
 * run starts the daemon by its launcher, with manifests on disk and nothing left of an earlier one;
 * kills it; and starts it once more, while frames come as fast as they can be sent.
 */
final class StartupBenchmark implements Benchmark {
  /** Floor and goal: seconds, and MB. */
  private static final double FLOOR_FORWARDING = 1.5;

  private static final double GOAL_FORWARDING = 0.5;
  private static final double FLOOR_RATE = 5;
  private static final double GOAL_RATE = 1.5;
  private static final double FLOOR_MEMORY = 400;
  private static final double GOAL_MEMORY = 150;
  private static final double FLOOR_FRAMES = 64;

  private static final int SERVICES = 1000;
  private static final int QUICK_SERVICES = 100;

  /** A frame a millisecond, which costs nobody anything. */
  private static final int PULSE = 1000;

  private static final double PART_OF_PEAK = 0.9;
  private static final long WINDOW_NANOS = 100_000_000;
  private static final long END_NANOS = 2_000_000_000;

  /** Of one watch: a start on a busy machine, and some seconds at its peak. */
  private static final double WATCH_SECONDS = 9;

  private static final double AFTER_KILL_SECONDS = 5;
  private static final double QUICK_PART = 0.7;

  /** Daemon and standby have given back by then what only their starts needed. */
  private static final double IDLE_SECONDS = 25;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final NodeDataplane dataplane;

  StartupBenchmark(NodeDataplane dataplane) {
    this.dataplane = dataplane;
  }

  @Override
  public Map<String, Object> arguments(BenchOptions options) {
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("services", services(options));
    arguments.put("driver", options.driver());
    arguments.put("pulse", PULSE);
    arguments.put("flows", VethBenchmark.flows(options));
    return arguments;
  }

  @Override
  public boolean isOfThisProcess(BenchOptions options) {
    return false;
  }

  private static int services(BenchOptions options) {
    return options.quick() ? QUICK_SERVICES : SERVICES;
  }

  /** One run: seconds, and bytes by kind. */
  private record Run(
      double start, double restart, double rate, Map<Kind, Long> memory, long standby) {}

  @Override
  public List<Figure> measure(BenchOptions options) throws IOException {
    String name = "bench-startup-" + ProcessHandle.current().pid();
    List<Run> runs = new ArrayList<>();
    try (CpuMeter meter = CpuMeter.open()) {
      VethPath path = VethPath.up(name, meter);
      try (Cleanup _ = new Cleanup(path::close, "gatun lab down --name " + name)) {
        VethDaemon.Inputs files = VethDaemon.files(path, options.driver(), services(options) - 1);
        while (runs.size() < options.runs()) {
          runs.add(run(path, files, options));
        }
      }
    }
    return figures(runs);
  }

  private Run run(VethPath path, VethDaemon.Inputs files, BenchOptions options) throws IOException {
    double part = options.quick() ? QUICK_PART : 1;
    long byKernel = KernelForwarding.packets(path.node());
    Map<Kind, Long> memory;
    long standby;
    double restart;
    double start;
    NodeDataplane.Running running;
    try (VethPath.Sending _ = path.sending(frames(1), PULSE)) {
      Future<Arrivals> seen = path.arrivals(part * AFTER_KILL_SECONDS);
      long began = System.nanoTime();
      running = dataplane.start(path.node(), files.config(), files.manifests());
      try {
        start = seconds(began, NamespaceThread.await(seen).first());
        running.awaitReady(PATIENCE);
        VethPath.sleep(IDLE_SECONDS);
        DaemonProcess daemon = DaemonProcess.of(running);
        memory = daemon.memory();
        standby = daemon.standby();
        seen = path.arrivals(part * AFTER_KILL_SECONDS);
        VethPath.sleep(part / 2);
        daemon.kill(); // the standby goes on
        restart = NamespaceThread.await(seen).longestSilence() / 1e9;
        running.awaitReady(PATIENCE);
      } finally {
        running.stop();
      }
    }
    double rate = rate(path, files, options, part);
    KernelForwarding.expectNone(KernelForwarding.packets(path.node()) - byKernel);
    return new Run(start, restart, rate, memory, standby);
  }

  /** Seconds from the start to 90 % of the rate at the end. */
  private double rate(VethPath path, VethDaemon.Inputs files, BenchOptions options, double part)
      throws IOException {
    int flows = VethBenchmark.flows(options);
    try (VethPath.Sending _ = path.sending(frames(flows), 0)) {
      Future<Arrivals> seen = path.arrivals(part * WATCH_SECONDS);
      long began = System.nanoTime();
      NodeDataplane.Running running =
          dataplane.start(path.node(), files.config(), files.manifests());
      try {
        Arrivals arrivals = NamespaceThread.await(seen);
        double peak = arrivals.rateAtTheEnd(END_NANOS);
        return seconds(began, arrivals.reached(PART_OF_PEAK * peak, WINDOW_NANOS));
      } finally {
        running.stop();
      }
    }
  }

  private static double seconds(long began, long at) {
    if (at < 0) {
      throw new IllegalStateException("nothing arrived at the sink in time");
    }
    return (at - began) / 1e9;
  }

  private static List<Figure> figures(List<Run> runs) {
    double[] start = runs.stream().mapToDouble(Run::start).toArray();
    double[] restart = runs.stream().mapToDouble(Run::restart).toArray();
    double[] rate = runs.stream().mapToDouble(Run::rate).toArray();
    double[] standby = runs.stream().mapToDouble(run -> run.standby / 1e6).toArray();
    double[] withoutFrames = new double[runs.size()];
    for (Kind kind : Kind.values()) {
      if (kind != Kind.FRAMES) {
        double[] one = megabytes(runs, kind);
        for (int i = 0; i < one.length; i++) {
          withoutFrames[i] += one[i];
        }
      }
    }
    return List.of(
        Figure.cost("start to forwarding", "s", start, FLOOR_FORWARDING, GOAL_FORWARDING),
        Figure.cost("kill -9 to forwarding again", "s", restart, FLOOR_FORWARDING, GOAL_FORWARDING),
        Figure.cost("start to 90 % of the peak rate", "s", rate, FLOOR_RATE, GOAL_RATE),
        Figure.cost("memory, idle, without frames", "MB", withoutFrames, FLOOR_MEMORY, GOAL_MEMORY),
        Figure.cost("  frames", "MB", megabytes(runs, Kind.FRAMES), FLOOR_FRAMES, null),
        Figure.cost("  Java heap", "MB", megabytes(runs, Kind.HEAP), null, null),
        Figure.cost("  flow file", "MB", megabytes(runs, Kind.FLOWS), null, null),
        Figure.cost("  programs, classes", "MB", megabytes(runs, Kind.FILES), null, null),
        Figure.cost("  tables, JVM, compiled code", "MB", megabytes(runs, Kind.REST), null, null),
        Figure.cost("memory of the standby", "MB", standby, null, null));
  }

  private static double[] megabytes(List<Run> runs, Kind kind) {
    return runs.stream().mapToDouble(run -> run.memory.getOrDefault(kind, 0L) / 1e6).toArray();
  }

  private static FrameSource.Frames frames(int flows) {
    return FrameSource.Frames.small(VethDaemon.CLUSTER_IP_BITS, VethDaemon.PORT, flows);
  }
}
