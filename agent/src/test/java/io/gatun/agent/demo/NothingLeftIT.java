package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Launcher;
import io.gatun.agent.Machine;
import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.Snapshot;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * However a daemon or a demonstration ends, the machine is as it was: links with their features,
 * addresses, rules, routes, sysctls, nftables, namespaces and pins, by {@code bin/snapshot.sh}.
 */
class NothingLeftIT {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final long PATIENCE_SECONDS = 60;

  @TempDir Path runDirectory;
  private Snapshot before;

  @BeforeAll
  static void machine() throws IOException {
    Machine.fit("curl", "dig", "dnsmasq", "iperf3", "nstat", "python3", "setsid", "ss");
    // Built already, except where somebody is just editing.
    Command.of(Launcher.PATH, "--version").within(Duration.ofMinutes(5)).run().orThrow();
  }

  @BeforeEach
  void look() throws IOException {
    before = Snapshot.ofMachine();
  }

  @AfterEach
  void removeWhatATestLeft() throws IOException {
    for (Lab lab : Lab.list(runDirectory)) {
      lab.down();
    }
  }

  @Test
  void shouldLeaveNothingAfterStopAndAfterStopOfADeadDaemon() throws Exception {
    try (TwoNodes topology = TwoNodes.up(runDirectory, "stop")) {
      Node node = topology.nodeA();
      Path manifests = Cluster.writeManifests(topology);
      Path config = Cluster.writeConfiguration(topology, node);
      Snapshot untouched = Snapshot.of(node);

      GatunProcess gatun = GatunProcess.start(node, config, manifests);
      gatun.awaitReady(READY);
      assertFalse(untouched.differences(Snapshot.of(node)).isEmpty(), "something to undo");
      assertEquals("stopped, nothing left behind", stop(node));
      assertTrue(gatun.process().waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
      assertAsItWas(untouched, node);

      GatunProcess killed = GatunProcess.start(node, config, manifests);
      killed.awaitReady(READY);
      killed.process().destroyForcibly().waitFor();
      String stopped = stop(node);
      assertTrue(stopped.matches("stopped, [1-9][0-9]* leftover.*undone"), stopped);
      assertAsItWas(untouched, node);
    }
    assertMachineAsItWas();
  }

  private static String stop(Node node) throws IOException {
    Command.Outcome outcome =
        node.command("env", "GATUN_RUN_DIR=" + node.runDirectory(), Launcher.PATH, "stop").run();
    assertEquals(0, outcome.exit(), outcome::toString);
    return outcome.output().strip();
  }

  private static void assertAsItWas(Snapshot untouched, Node node) throws IOException {
    assertEquals(
        List.of(), untouched.differences(Snapshot.of(node), node.runDirectory().toString()));
  }

  @Test
  void shouldLeaveNothingWhenTheDemonstrationIsInterrupted() throws Exception {
    Process demo = demo();
    try (BufferedReader output = demo.inputReader()) {
      awaitLine(output, "✓.*");
      // As a terminal does: to the whole foreground, daemons and all.
      Command.of("kill", "-INT", "--", "-" + demo.pid()).run().orThrow();
      output.lines().forEach(line -> {});
    }
    assertTrue(demo.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "ends on Ctrl-C");
    assertEquals(List.of(), Lab.list(runDirectory));
    assertMachineAsItWas();
  }

  @Test
  void shouldBeTakenDownAfterTheDemonstrationWasKilled() throws Exception {
    Process demo = demo();
    try (BufferedReader output = demo.inputReader()) {
      awaitLine(output, "✓.*");
      demo.destroyForcibly().waitFor();
    }
    down();
  }

  @Test
  void shouldKeepWhatWorksAndBeTakenDown() throws Exception {
    Process demo = demo("--keep");
    List<String> said;
    try (BufferedReader output = demo.inputReader()) {
      said = output.lines().toList();
    }
    assertTrue(demo.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
    assertEquals(0, demo.exitValue(), () -> String.join("\n", said));
    assertTrue(said.stream().anyMatch(line -> line.startsWith("Remove: gatun lab down")));
    Lab lab = Lab.list(runDirectory).getFirst();
    Command.Outcome curl =
        gatun(
            "lab",
            "exec",
            "--name",
            lab.name(),
            "client-a",
            "--",
            "curl",
            "-s",
            "--max-time",
            "3",
            "http://" + Cluster.WEB + "/");
    assertEquals(0, curl.exit(), curl::toString);
    assertTrue(curl.output().startsWith("web-"), curl::toString);
    down();
  }

  /** By the words that the demonstration and `gatun lab list` say. */
  private void down() throws IOException {
    String list = gatun("lab", "list").orThrow().output();
    String name = list.substring(0, list.indexOf(' '));
    assertTrue(name.startsWith("demo-"), list);
    gatun("lab", "down", "--name", name).orThrow();
    assertEquals("", gatun("lab", "list").orThrow().output());
    assertMachineAsItWas();
  }

  private Process demo(String... options) throws IOException {
    List<String> words = new ArrayList<>(List.of("setsid", Launcher.PATH, "demo"));
    words.addAll(List.of(options));
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().put("GATUN_RUN_DIR", runDirectory.toString());
    return builder.start();
  }

  private Command.Outcome gatun(String... words) throws IOException {
    List<String> all =
        new ArrayList<>(List.of("env", "GATUN_RUN_DIR=" + runDirectory, Launcher.PATH));
    all.addAll(List.of(words));
    return Command.of(all).run();
  }

  private static void awaitLine(BufferedReader output, String pattern) throws IOException {
    List<String> said = new ArrayList<>();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      said.add(line);
      if (line.matches(pattern)) {
        return;
      }
    }
    throw new AssertionError("no line like " + pattern + " in " + said);
  }

  private void assertMachineAsItWas() throws IOException {
    assertEquals(List.of(), before.differences(Snapshot.ofMachine(), runDirectory.toString()));
    String mounts = Files.readString(Path.of("/proc/self/mounts"));
    assertFalse(mounts.contains(runDirectory.toString()), "mounts of ours");
    List<String> processes =
        ProcessHandle.allProcesses()
            .map(process -> process.info().commandLine().orElse(""))
            .filter(line -> line.contains(runDirectory.toString()))
            .toList();
    assertEquals(List.of(), processes);
    assertFalse(Files.exists(runDirectory.resolve("lab")), "files of a lab");
  }
}
