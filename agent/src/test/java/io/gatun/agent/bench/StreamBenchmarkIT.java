package io.gatun.agent.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.lab.Lab;
import io.gatun.perf.Bench;
import io.gatun.perf.BenchOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code gatun bench stream --quick --runs 2 -o json}, with the real daemon and the real peer. */
class StreamBenchmarkIT {
  private static final int RUNS = 2;

  @BeforeAll
  static void machine() {
    Machine.fit("iperf3", "nft", "nstat", "ss");
  }

  @Test
  void shouldMeasureBothSidesAndLeaveNothing() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BenchOptions options =
        new BenchOptions(
            true,
            RUNS,
            null,
            true,
            BenchOptions.FLOWS,
            1,
            false,
            BenchOptions.Tables.NONE,
            true,
            null);
    try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      // 0 or 1: whether a floor holds is no question for a busy machine.
      int exit = Bench.run("stream", options, GatunProcess::start, out);
      assertTrue(exit == 0 || exit == 1, "exit code " + exit);
    }
    JsonNode report = new ObjectMapper().readTree(bytes.toByteArray());
    assertEquals("stream", report.path("bench").asText(), report.toString());
    for (JsonNode figure : report.path("figures")) {
      assertEquals(RUNS, figure.path("runs").size());
      assertEquals(RUNS, figure.path("peer").path("runs").size());
      assertTrue(figure.path("value").asDouble() > 0, figure.toString());
      assertTrue(figure.path("ratio").asDouble() > 0, figure.toString());
    }
    assertEquals(2, report.path("figures").size());
    String own = "bench-stream-" + ProcessHandle.current().pid();
    List<String> labs = Lab.list(Lab.runDirectory()).stream().map(Lab::name).toList();
    assertTrue(labs.stream().noneMatch(own::equals), labs.toString());
  }
}
