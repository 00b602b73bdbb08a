package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.Pulse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A daemon that died or hangs: the kernel takes over when the hold is over, by itself. */
class FailureIT {

  private static final Duration READY = Duration.ofSeconds(20);
  private static final Duration BEAT = Duration.ofSeconds(4);
  private static final Duration BEFORE_THE_FAULT = Duration.ofMillis(700);
  private static final long GRACE_MILLIS = 100;

  private TwoNodes topology;
  private Node node;
  private Path manifests;

  @BeforeAll
  static void machine() {
    Machine.fit("python3");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "failure");
    node = topology.nodeA();
    node.sysctl("net.ipv4.ip_forward", "1");
    manifests = Cluster.writeManifests(topology);
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  @ParameterizedTest
  @CsvSource({"KILL, 1000", "STOP, 1000", "KILL, 0"})
  void shouldLeavePodsToTheKernelAfterTheHold(String signal, long hold) throws Exception {
    GatunProcess gatun = start(hold);
    Pulse.Reading reading = pulseAround(() -> signal(gatun, signal));
    assertTrue(reading.answered() > 300, reading::toString);
    assertTrue(reading.longestSilence().toMillis() <= hold + GRACE_MILLIS, reading::toString);
    if (hold > 0) {
      assertTrue(reading.longestSilence().toMillis() > hold / 2, () -> "no hold: " + reading);
    }
  }

  @Test
  void shouldBeSucceededWithinTheHold() throws Exception {
    GatunProcess first = start(3000);
    Pulse.Reading reading =
        pulseAround(() -> {
          signal(first, "KILL");
          start(3000);
        });
    assertTrue(reading.longestSilence().toMillis() < 3000, reading::toString);
    assertTrue(reading.silentAtEnd().toMillis() < GRACE_MILLIS, reading::toString);
  }

  private GatunProcess start(long hold) throws IOException {
    Path config = Cluster.writeConfiguration(topology, node);
    Files.writeString(config, "onFailure: {hold: " + hold + "ms}\n", StandardOpenOption.APPEND);
    GatunProcess gatun = GatunProcess.start(node, config, manifests);
    gatun.awaitReady(READY);
    return gatun;
  }

  private static void signal(GatunProcess gatun, String signal) throws IOException {
    Command.of("kill", "-" + signal, Long.toString(gatun.process().pid())).run().orThrow();
  }

  @FunctionalInterface
  private interface Fault {
    void happen() throws IOException;
  }

  private Pulse.Reading pulseAround(Fault fault) throws IOException, InterruptedException {
    Pulse pulse = Pulse.start(topology, topology.pod("client-a"), topology.pod("web-1"), BEAT);
    Thread.sleep(BEFORE_THE_FAULT);
    fault.happen();
    Pulse.Reading reading = pulse.await();
    System.out.println(reading);
    return reading;
  }
}
