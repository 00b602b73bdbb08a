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
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code ./gatun} as a user types it: exit codes, and one line for what is wrong. */
class LauncherIT {
  @TempDir private Path directory;

  private record Outcome(int code, List<String> out, List<String> err) {}

  private Outcome gatun(String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(Launcher.PATH));
    command.addAll(List.of(words));
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("GATUN_RUN_DIR", directory.resolve("run").toString());
    Process process = builder.start();
    boolean ended = process.waitFor(60, TimeUnit.SECONDS);
    if (!ended) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    assertTrue(ended, "ended within a minute");
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
  void shouldNameTheLineOfAManifestThatIsNoYaml() throws Exception {
    Path config = directory.resolve("node.yaml");
    Files.writeString(
        config, "{apiVersion: gatun.io/v1alpha1, kind: GatunConfiguration, interfaces: []}");
    Path manifest = directory.resolve("web.yaml");
    Files.writeString(manifest, "apiVersion: v1\nkind: Service: web\n");
    Outcome outcome =
        gatun("run", "--config", config.toString(), "--manifests", manifest.toString());
    assertEquals(2, outcome.code, outcome.err.toString());
    assertEquals(
        "gatun: " + manifest + ": line 2, column 14: not YAML: mapping values are not allowed here",
        outcome.err.getLast());
  }

  @Test
  void shouldSayWhatIsMissing() throws Exception {
    Outcome outcome = gatun("run");
    assertEquals(2, outcome.code);
    assertTrue(outcome.err.getLast().contains("--config"), outcome.err.toString());
  }

  /** Each shell takes its own script; those that are not installed are passed over. */
  @ParameterizedTest
  @CsvSource({"bash, -n", "zsh, -n", "fish, --no-execute"})
  void shouldPrintACompletionThatItsShellReads(String shell, String check) throws Exception {
    Outcome outcome = gatun("completion", shell);
    assertEquals(0, outcome.code, outcome.err.toString());
    String script = String.join("\n", outcome.out);
    assertTrue(script.contains("services") && script.contains("manifests"), script);
    Path program = Path.of("/usr/bin", shell);
    Assumptions.assumeTrue(Files.isExecutable(program), "skipped: " + shell + " is not installed");
    Path file = Files.writeString(directory.resolve("completion"), script);
    assertEquals("", said(program.toString(), check, file.toString()));
    if (shell.equals("fish")) {
      String offered = said("fish", "-c", "source " + file + "; complete -C 'gatun lab '");
      assertTrue(offered.lines().anyMatch(line -> line.startsWith("down\t")), offered);
    }
  }

  private static String said(String... words) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said;
  }

  @Test
  void shouldSayThatNobodyAnswers() throws Exception {
    Outcome outcome = gatun("status", "-o", "json");
    assertEquals(1, outcome.code);
    assertTrue(outcome.out.isEmpty(), "JSON alone goes to stdout");
    assertTrue(outcome.err.getLast().contains("no gatun answers"), outcome.err.toString());
  }
}
