package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Launcher;
import io.gatun.agent.Machine;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a TCP stream to the node's own address has of its rate while Gatun comes, hangs, dies, comes
 * again, is replaced and goes: printed, phase by phase, beside the rate without Gatun. A figure,
 * not a test, so it runs only when asked for, on a machine with nothing else to do:
 *
 * <pre>
 *   ./mvnw verify -Dtest=NONE -Dit.test=GuestStreamIT -Dgatun.stream.seconds=4
 *       [-Dgatun.stream.congestion=cubic] [-Dgatun.stream.driver=packet]
 * </pre>
 *
 * <p>The sender's congestion control matters: bbr paces by what it remembers of the last seconds.
 */
class GuestStreamIT {
  /** Of each phase without an event; 0: not at all. */
  private static final int SECONDS = Integer.getInteger("gatun.stream.seconds", 0);

  private static final String CONGESTION = System.getProperty("gatun.stream.congestion", "cubic");
  private static final String DRIVER = System.getProperty("gatun.stream.driver", "packet");
  private static final Duration READY = Duration.ofSeconds(60);

  /** It gives way to the stream, which wants both cores. */
  private static final Duration WARM = Duration.ofMinutes(2);

  private record Phase(String name, double seconds, double gigabits) {}

  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }

  private final List<Phase> phases = new ArrayList<>();

  @SuppressWarnings("NullAway.Init") // the test's first step
  private Node node;

  @Test
  void shouldLetTheNodesOwnStreamHaveItsRate(@TempDir Path runDirectory) throws Exception {
    Assumptions.assumeTrue(SECONDS > 0, "skipped: a measurement, by -Dgatun.stream.seconds=4");
    Machine.fit("iperf3");
    Command.of("../bin/rehearse.sh").within(READY).run().orThrow(); // as it is after a build
    Command.of(Launcher.PATH, "--version").within(READY).run().orThrow();
    try (TwoNodes topology = TwoNodes.up(runDirectory, "stream")) {
      node = topology.nodeA();
      node.sysctl("net.ipv4.ip_forward", "1");
      Path config = Cluster.writeConfiguration(topology, node, DRIVER, DRIVER);
      Files.writeString(config, "onFailure: {hold: 500ms}\n", StandardOpenOption.APPEND);
      Path manifests = Cluster.writeManifests(topology);
      node.spawn("iperf3", "iperf3", "--server");
      Thread.sleep(500);
      Process stream =
          topology
              .outside()
              .spawn(
                  "stream",
                  "iperf3",
                  "-c",
                  topology.address(node),
                  "-C",
                  CONGESTION,
                  "-t",
                  Integer.toString(400 + 12 * SECONDS));
      Thread.sleep(2000); // slow start
      pass(config, manifests);
      assertTrue(stream.isAlive(), "the connection is still up");
      stream.destroy();
      report();
    }
  }

  private void pass(Path config, Path manifests) throws Exception {
    List<GatunProcess> started = new ArrayList<>();
    Step start =
        () -> {
          started.add(start(config, manifests));
          started.getLast().awaitReady(READY);
        };
    steady("without");
    phase("start", start);
    steady("started");
    phase("standby warms up", () -> started.getLast().awaitStandby("warm", WARM));
    steady("started, later");
    long daemon = started.getLast().pid();
    phase(
        "SIGSTOP",
        () -> {
          signal(daemon, "STOP");
          rest();
        });
    signal(daemon, "CONT");
    phase(
        "kill -9",
        () -> {
          signal(daemon, "KILL");
          rest();
        });
    steady("succeeded");
    phase("standby warms up", () -> started.getLast().awaitStandby("warm", WARM));
    steady("succeeded, later");
    phase(
        "replace",
        () -> {
          GatunProcess before = started.getLast();
          started.add(start(config, manifests, "--replace"));
          assertTrue(before.process().waitFor(20, TimeUnit.SECONDS), "the replaced one ended");
        });
    started.getLast().awaitReady(READY);
    steady("replaced");
    steady("replaced, later");
    phase("stop", () -> started.getLast().stop());
    steady("without");
  }

  /** As {@link Launcher} does, which looks first whether something has to be built. */
  private GatunProcess start(Path config, Path manifests, String... more) throws IOException {
    return GatunProcess.start(node, config, manifests, Launcher.PATH, List.of(), List.of(more));
  }

  private void steady(String name) throws Exception {
    phase(name, GuestStreamIT::rest);
  }

  private static void rest() throws InterruptedException {
    TimeUnit.SECONDS.sleep(SECONDS);
  }

  private void phase(String name, Step step) throws Exception {
    long bytes = received();
    long began = System.nanoTime();
    step.run();
    double seconds = (System.nanoTime() - began) / 1e9;
    phases.add(new Phase(name, seconds, (received() - bytes) * 8e-9));
  }

  /** Bytes that have come in by the node's uplink: nobody else sends there. */
  private long received() throws IOException {
    String devices = node.exec("cat", "/proc/net/dev").orThrow().output();
    for (String line : devices.split("\n", -1)) {
      if (line.strip().startsWith("eth0:")) {
        return Long.parseLong(line.strip().substring(5).strip().split(" +", -1)[0]);
      }
    }
    throw new IOException("no eth0 in " + devices);
  }

  private static void signal(long pid, String name) throws IOException {
    Command.of("kill", "-" + name, Long.toString(pid)).run().orThrow();
  }

  private void report() {
    double without = rate(phases.stream().filter(p -> p.name.equals("without")).toList());
    List<Phase> with = phases.stream().filter(p -> !p.name.equals("without")).toList();
    for (Phase phase : phases) {
      print(phase.name, List.of(phase), without);
    }
    print("all of Gatun's", with, without);
  }

  private static void print(String name, List<Phase> phases, double without) {
    System.out.printf(
        Locale.ROOT,
        "stream, %-17s %5.1f s  %5.1f Gbit/s  %.2f%n",
        name,
        phases.stream().mapToDouble(Phase::seconds).sum(),
        rate(phases),
        rate(phases) / without);
  }

  private static double rate(List<Phase> phases) {
    return phases.stream().mapToDouble(Phase::gigabits).sum()
        / phases.stream().mapToDouble(Phase::seconds).sum();
  }
}
