package io.gatun.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A lab comes up as promised and leaves nothing, whoever ended how. */
class LabIT {

  @TempDir Path runDirectory;

  @BeforeAll
  static void rootOnly() {
    Root.required();
  }

  @Test
  void shouldLeaveTheMachineAsItWasWhenDown() throws IOException {
    Snapshot before = Snapshot.ofMachine();
    String prefix;
    try (TwoNodes topology = TwoNodes.up(runDirectory, "trace")) {
      prefix = topology.lab().prefix();
      topology.pod("web-1").node().spawn("sleeper", "sleep", "1000");
      assertEquals(List.of(), before.differences(Snapshot.ofMachine(), prefix + "nothing"));
    }
    assertEquals(List.of(), before.differences(Snapshot.ofMachine(), prefix));
    assertFalse(Files.exists(runDirectory.resolve("lab")));
  }

  @Test
  void shouldBeTakenDownByAnotherProcessWhenItsHolderWasKilled() throws Exception {
    Snapshot before = Snapshot.ofMachine();
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                LabHolder.class.getName(),
                runDirectory.toString(),
                "killed")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String prefix = holder.inputReader().readLine();
    holder.destroyForcibly();
    assertTrue(holder.waitFor(5, TimeUnit.SECONDS));

    List<Lab> labs = Lab.list(runDirectory);
    assertEquals(List.of("killed"), labs.stream().map(Lab::name).toList());
    Lab lab = Lab.open(runDirectory, "killed");
    assertFalse(lab.held());
    assertEquals(prefix, lab.prefix());
    var namespaces = Inhabitants.namespaces(lab.nodes());
    assertEquals(1, Inhabitants.of(namespaces).size(), "the holder's child lives on");
    lab.down();

    assertEquals(List.of(), before.differences(Snapshot.ofMachine(), prefix));
    assertEquals(List.of(), Inhabitants.of(namespaces));
    assertEquals(List.of(), Lab.list(runDirectory));
  }

  @Test
  void shouldEndProcessesThatIgnoreTheSignal() throws Exception {
    try (Lab lab = Lab.up(runDirectory, "stubborn", "one")) {
      Process stubborn =
          lab.node("one").spawn("trap", "sh", "-c", "trap '' TERM; while :; do sleep 1; done");
      Thread.sleep(50);
      lab.down();
      assertTrue(stubborn.waitFor(1, TimeUnit.SECONDS));
    }
  }

  /** As the thread of an interrupted demonstration does. */
  @Test
  void shouldEndProcessesThatAreStartedWhileItIsTakenDown() throws Exception {
    try (Lab lab = Lab.up(runDirectory, "busy", "one")) {
      Node node = lab.node("one");
      startStubborn(node);
      Thread starter =
          Thread.ofPlatform()
              .start(() -> {
                while (node.inode() >= 0) {
                  startStubborn(node);
                }
              });
      Thread.sleep(50);
      lab.down();
      starter.join();
    }
  }

  private static void startStubborn(Node node) {
    try {
      new ProcessBuilder(node.enter("sh", "-c", "trap '' TERM; sleep 1000"))
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
      Thread.sleep(20);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldUnmountWhatWasMountedInItsDirectory() throws IOException {
    try (Lab lab = Lab.up(runDirectory, "mounted", "one")) {
      Path point = lab.node("one").runDirectory().resolve("bpf");
      Files.createDirectories(point);
      Command.of("mount", "-t", "bpf", "bpf", point.toString()).run().orThrow();
    }
    assertFalse(Files.readString(Path.of("/proc/self/mounts")).contains(runDirectory.toString()));
  }

  @Test
  void shouldRefuseANameThatIsTaken() throws IOException {
    try (Lab lab = Lab.up(runDirectory, "twice", "one")) {
      var refusal = assertThrows(IOException.class, () -> Lab.up(runDirectory, lab.name(), "one"));
      assertTrue(String.valueOf(refusal.getMessage()).contains("gatun lab down --name twice"));
    }
  }

  @Test
  void shouldFindANodeByItsNameOrWithItsLabs() throws IOException {
    try (Lab one = Lab.up(runDirectory, "one", "left", "right");
        Lab two = Lab.up(runDirectory, "two", "left")) {
      assertEquals(one.node("right"), Lab.find(runDirectory, "right"));
      assertEquals(two.node("left"), Lab.find(runDirectory, "two/left"));
      assertThrows(IOException.class, () -> Lab.find(runDirectory, "left"));
      assertThrows(IOException.class, () -> Lab.find(runDirectory, "middle"));
    }
  }

  @Test
  void shouldKillACommandThatTakesTooLong() throws IOException {
    Command.Outcome outcome = Command.of("sleep", "100").within(Duration.ofMillis(50)).run();
    assertEquals(-1, outcome.exit());
    assertThrows(IOException.class, outcome::orThrow);
  }

  @Test
  void shouldSeeAChangeInASnapshot() throws IOException {
    try (Lab lab = Lab.up(runDirectory, "change", "one")) {
      Node node = lab.node("one");
      Snapshot before = Snapshot.of(node);
      assertEquals(List.of(), before.differences(Snapshot.of(node), "one"));
      node.sysctl("net.ipv4.ip_forward", "1");
      node.exec("ip", "rule", "add", "pref", "7", "lookup", "42").orThrow();
      List<String> changes = before.differences(Snapshot.of(node), "one");
      assertTrue(changes.contains("+ sysctl: net.ipv4.ip_forward = 1"), changes::toString);
      assertTrue(changes.contains("+ rule: 7: from all lookup 42"), changes::toString);
    }
  }
}
