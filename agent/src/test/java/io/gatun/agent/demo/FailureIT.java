package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Launcher;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
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
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A daemon that died or hangs: the kernel takes over when the hold is over, by itself. */
class FailureIT {

  private static final Duration READY = Duration.ofSeconds(60);

  /** Before and after the hold. */
  private static final Duration BEAT = Duration.ofMillis(2200);

  private static final Duration BEFORE_THE_FAULT = Duration.ofMillis(700);
  private static final long GRACE_MILLIS = 100;

  /** Who answered so shortly before the end answers: a beat is 5 ms, a busy machine slow. */
  private static final long STILL_BEATING_MILLIS = 500;

  /** From the worker's start: time enough for the pulse to beat before. */
  private static final Duration FAULT = Duration.ofMillis(1200);

  /** A JVM starts in a second, on a busy machine in some. */
  private static final long HOLD_FOR_A_SUCCESSOR = 15_000;

  /** How long it is waited for: with nothing else to do the JVM takes a second. */
  private static final long TIME_FOR_A_SUCCESSOR = 8_000;

  /** A fifth of a second with nothing else to do. */
  private static final long TIME_FOR_A_STANDBY = 4_000;

  private TwoNodes topology;
  private Node node;
  private Path manifests;
  private String pods = "xdp";

  @BeforeAll
  static void machine() {
    Machine.fit("nstat", "ping", "python3");
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
  @CsvSource({
    "KILL, 1000, xdp",
    "STOP, 1000, xdp",
    "KILL, 0, xdp",
    "KILL, 1000, packet",
    "STOP, 1000, packet",
    "KILL, 0, packet"
  })
  void shouldLeavePodsToTheKernelAfterTheHold(String signal, long hold, String driver)
      throws Exception {
    pods = driver;
    GatunProcess gatun = start(hold);
    Pulse.Reading reading = pulseAround(hold, () -> signal(gatun, signal));
    assertKernelTookOver(reading, hold);
  }

  @ParameterizedTest
  @CsvSource({"stuck, 1000", "exception, 1000", "stuck, 0"})
  void shouldLeavePodsToTheKernelWhenAWorkerBreaks(String fault, long hold) throws Exception {
    GatunProcess gatun =
        start(hold, "-Dgatun.fault=" + fault, "-Dgatun.fault.after=" + FAULT.toMillis());
    Pulse.Reading reading = pulseAround(hold, () -> {});
    assertKernelTookOver(reading, hold);
    // Nobody's help was needed; and who is broken ends, so that a supervisor can start another.
    assertTrue(gatun.process().waitFor(5, TimeUnit.SECONDS), "a broken daemon ends");
    assertEquals(1, gatun.process().exitValue(), gatun.log());
  }

  private void assertKernelTookOver(Pulse.Reading reading, long hold) throws IOException {
    assertTrue(reading.answered() > 200, reading::toString);
    long grace = grace(reading);
    assertTrue(reading.longestSilence().toMillis() <= hold + grace, reading::toString);
    assertTrue(reading.silentAtEnd().toMillis() < STILL_BEATING_MILLIS, reading::toString);
    if (hold > 0) {
      assertTrue(reading.longestSilence().toMillis() > hold / 2, () -> "no hold: " + reading);
    }
    String forwarded = node.exec("nstat", "-asz", "IpForwDatagrams").orThrow().output();
    assertTrue(forwarded.matches("(?s).*IpForwDatagrams +[1-9][0-9]{2,}.*"), forwarded);
  }

  @ParameterizedTest
  @CsvSource({"xdp", "packet"})
  void shouldBeSucceededWithinTheHold(String driver) throws Exception {
    pods = driver;
    GatunProcess first = start(HOLD_FOR_A_SUCCESSOR);
    Pulse.Reading reading =
        pulseAround(
            TIME_FOR_A_SUCCESSOR,
            () -> {
              signal(first, "KILL");
              start(HOLD_FOR_A_SUCCESSOR);
            });
    assertSucceeded(reading);
  }

  @Test
  void shouldBeStartedAgainByItsSupervisorWithinTheHold() throws Exception {
    GatunProcess supervised = supervised(HOLD_FOR_A_SUCCESSOR);
    supervised.awaitReady(READY);
    Pulse.Reading reading = pulseAround(TIME_FOR_A_SUCCESSOR, () -> kill(supervised));
    assertSucceeded(reading);
    assertTrue(supervised.log().contains("starting it again"), supervised.log());
    supervised.stop();
    assertEquals(0, supervised.process().exitValue(), supervised.log());
  }

  /** Warm already, it needs a part of the time; and one that is warm stands by again. */
  @Test
  void shouldBeSucceededByItsStandby() throws Exception {
    GatunProcess supervised = supervised(HOLD_FOR_A_SUCCESSOR);
    supervised.awaitReady(READY);
    supervised.awaitStandby("warm", READY);
    long first = supervised.pid();
    Pulse.Reading reading = pulseAround(TIME_FOR_A_STANDBY, () -> kill(supervised));
    assertSucceeded(reading);
    assertTrue(supervised.log().contains("the standby goes on"), supervised.log());
    assertNotEquals(first, supervised.pid());
    supervised.awaitStandby("warm", READY);
    List<ProcessHandle> all = supervised.process().children().toList();
    assertEquals(2, all.size(), "daemon and standby");
    supervised.stop();
    assertEquals(0, supervised.process().exitValue(), supervised.log());
    assertTrue(all.stream().noneMatch(ProcessHandle::isAlive), "both ended");
  }

  /** The daemon outlives its launcher, for it forwards; who only waits does not. */
  @Test
  void shouldLeaveNoStandbyWithoutALauncher() throws Exception {
    GatunProcess supervised = supervised(0);
    supervised.awaitReady(READY);
    supervised.awaitStandby("warm", READY);
    List<ProcessHandle> all = supervised.process().children().toList();
    supervised.process().destroyForcibly().waitFor();
    long daemon = supervised.pid();
    for (ProcessHandle one : all) {
      if (one.pid() != daemon) {
        one.onExit().get(5, TimeUnit.SECONDS);
      }
    }
    assertEquals(2, all.size());
    assertTrue(ProcessHandle.of(daemon).isPresent());
    AdminClient.ask(supervised.runDirectory().socket(), "stop");
  }

  @Test
  void shouldLeaveNothingOfAStandbyThatWarmsUp() throws Exception {
    GatunProcess supervised = supervised(0);
    supervised.awaitReady(READY);
    supervised.awaitStandby("warming up", READY);
    Thread.sleep(300); // so that it has something
    supervised.stop();
    try (Stream<Path> left = Files.list(supervised.runDirectory().state())) {
      assertEquals(List.of(), left.toList());
    }
    assertTrue(Files.notExists(supervised.runDirectory().standby()));
  }

  private static void kill(GatunProcess gatun) throws IOException {
    ProcessHandle.of(gatun.pid()).orElseThrow().destroyForcibly();
  }

  /** Nothing was lost to the kernel: it has forwarded nothing, although it may. */
  private void assertSucceeded(Pulse.Reading reading) throws IOException {
    assertTrue(reading.longestSilence().toMillis() < HOLD_FOR_A_SUCCESSOR, reading::toString);
    assertTrue(reading.silentAtEnd().toMillis() < STILL_BEATING_MILLIS, reading::toString);
    String forwarded = node.exec("nstat", "-asz", "IpForwDatagrams").orThrow().output();
    assertTrue(forwarded.matches("(?s).*IpForwDatagrams +0 .*"), forwarded);
  }

  @Test
  void shouldGiveUpAfterThreeRestartsInAMinute() throws Exception {
    GatunProcess supervised = supervised(0, "-Dgatun.fault=exception", "-Dgatun.fault.after=1");
    assertTrue(supervised.process().waitFor(60, TimeUnit.SECONDS), supervised.log());
    assertEquals(1, supervised.process().exitValue(), supervised.log());
    List<String> said =
        supervised.log().lines().filter(line -> line.startsWith("gatun: ")).toList();
    String again = "gatun: the daemon died (exit code 1); starting it again";
    assertEquals(
        List.of(
            again,
            again,
            again,
            "gatun: the daemon died 4 times within a minute (last exit code 1); giving up, the"
                + " kernel forwards"),
        said);
    Command ping =
        topology
            .pod("client-a")
            .node()
            .command("ping", "-c", "1", "-W", "1", topology.pod("web-1").address());
    assertEquals(0, ping.run().exit(), "the kernel forwards");
  }

  /** On a busy machine the pulse waits for a processor, and so does the watchdog. */
  private static long grace(Pulse.Reading reading) {
    return GRACE_MILLIS + 2 * reading.late().toMillis();
  }

  private GatunProcess start(long hold, String... javaOptions) throws IOException {
    Path config = configuration(hold);
    GatunProcess gatun = GatunProcess.start(node, config, manifests, null, List.of(javaOptions));
    gatun.awaitReady(READY);
    return gatun;
  }

  private GatunProcess supervised(long hold, String... javaOptions) throws IOException {
    return Launcher.start(node, configuration(hold), manifests, List.of(javaOptions));
  }

  private Path configuration(long hold) throws IOException {
    Path config = Cluster.writeConfiguration(topology, node, pods, pods);
    return Files.writeString(
        config, "onFailure: {hold: " + hold + "ms}\n", StandardOpenOption.APPEND);
  }

  private static void signal(GatunProcess gatun, String signal) throws IOException {
    Command.of("kill", "-" + signal, Long.toString(gatun.process().pid())).run().orThrow();
  }

  @FunctionalInterface
  private interface Fault {
    void happen() throws IOException;
  }

  private Pulse.Reading pulseAround(long hold, Fault fault)
      throws IOException, InterruptedException {
    Duration length = BEAT.plusMillis(hold);
    Pulse pulse = Pulse.start(topology, topology.pod("client-a"), topology.pod("web-1"), length);
    Thread.sleep(BEFORE_THE_FAULT);
    fault.happen();
    Pulse.Reading reading = pulse.await();
    System.out.println(reading);
    return reading;
  }
}
