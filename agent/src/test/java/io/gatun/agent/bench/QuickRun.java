package io.gatun.agent.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.GatunProcess;
import io.gatun.lab.Lab;
import io.gatun.perf.Bench;
import io.gatun.perf.BenchOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A benchmark beside its peer, with two short runs of each. */
final class QuickRun {
  private static final int RUNS = 2;

  private QuickRun() {}

  /** Runs it; fails unless both sides were measured, and nothing of it is left. */
  static void of(String name, boolean service) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BenchOptions options =
        new BenchOptions(
            true,
            RUNS,
            null,
            true,
            BenchOptions.FLOWS,
            1,
            BenchOptions.DRIVER,
            service,
            BenchOptions.Tables.NONE,
            true,
            null);
    try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      // 0 or 1: whether a floor holds is no question for a busy machine.
      int exit = Bench.run(name, options, GatunProcess::start, out);
      assertTrue(exit == 0 || exit == 1, "exit code " + exit);
    }
    JsonNode report = new ObjectMapper().readTree(bytes.toByteArray());
    assertEquals(name, report.path("bench").asText(), report.toString());
    for (JsonNode figure : report.path("figures")) {
      assertEquals(RUNS, figure.path("runs").size());
      assertEquals(RUNS, figure.path("peer").path("runs").size());
      assertTrue(figure.path("value").asDouble() > 0, figure.toString());
      assertTrue(figure.path("ratio").asDouble() > 0, figure.toString());
    }
    assertTrue(report.path("figures").size() >= 2, report.toString());
    String own = "bench-" + name + "-" + ProcessHandle.current().pid();
    List<String> labs = Lab.list(Lab.runDirectory()).stream().map(Lab::name).toList();
    assertTrue(labs.stream().noneMatch(own::equals), labs.toString());
  }
}
