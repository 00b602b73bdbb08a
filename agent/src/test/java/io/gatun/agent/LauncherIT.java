package io.gatun.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./gatun} as a user types it: exit codes, and one line for what is wrong. */
class LauncherIT {
  private static final Path LAUNCHER = Path.of("..", "gatun").toAbsolutePath().normalize();

  @TempDir private Path directory;

  private record Outcome(int code, List<String> out, List<String> err) {}

  private Outcome gatun(String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
    command.addAll(List.of(words));
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("GATUN_RUN_DIR", directory.resolve("run").toString());
    Process process = builder.start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "ended within a minute");
    return new Outcome(
        process.exitValue(),
        Files.readAllLines(out, StandardCharsets.UTF_8),
        Files.readAllLines(err, StandardCharsets.UTF_8));
  }

  @Test
  void shouldPrintItsVersionFast() throws Exception {
    gatun("--version"); // the first call may read everything from the disk
    long start = System.nanoTime();
    Outcome outcome = gatun("--version");
    long millis = (System.nanoTime() - start) / 1_000_000;
    assertEquals(0, outcome.code, outcome.err.toString());
    assertTrue(outcome.out.getFirst().startsWith("gatun "), outcome.out.toString());
    assertTrue(millis < 2000, "took " + millis + " ms"); // 0.1 s alone; CI is a busy machine
  }

  @Test
  void shouldNameFileFieldAndExpectationOfAWrongConfiguration() throws Exception {
    Path config = directory.resolve("node.yaml");
    Files.writeString(
        config,
        """
        apiVersion: gatun.io/v1alpha1
        kind: GatunConfiguration
        workers: {count: many}
        """);
    Outcome outcome = gatun("run", "--config", config.toString());
    assertEquals(2, outcome.code, outcome.err.toString());
    String line = outcome.err.getLast();
    assertTrue(line.contains(config + ": workers.count: got \"many\", expected an integer"), line);
  }

  @Test
  void shouldSayWhatIsMissing() throws Exception {
    Outcome outcome = gatun("run");
    assertEquals(2, outcome.code);
    assertTrue(outcome.err.getLast().contains("--config"), outcome.err.toString());
  }

  @Test
  void shouldSayThatNobodyAnswers() throws Exception {
    Outcome outcome = gatun("status", "-o", "json");
    assertEquals(1, outcome.code);
    assertTrue(outcome.out.isEmpty(), "JSON alone goes to stdout");
    assertTrue(outcome.err.getLast().contains("no gatun answers"), outcome.err.toString());
  }
}
