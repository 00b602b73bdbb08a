package io.gatun.agent.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.perf.Bench;
import io.gatun.perf.BenchOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Twenty pods, each answering; whether a floor holds is no question for a busy machine. */
class IdleBenchmarkIT {
  @BeforeAll
  static void machine() {
    Machine.fit("ping");
  }

  @Test
  void shouldMeasureANodeWhosePodsAllAnswer() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BenchOptions options =
        new BenchOptions(
            false, 1, 1.0, true, 1, 1, "packet", false, BenchOptions.Tables.NONE, true, null);
    try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      int exit = Bench.run("idle", options, GatunProcess::start, out);
      assertTrue(exit == 0 || exit == 1, "exit code " + exit);
    }
    JsonNode figures = new ObjectMapper().readTree(bytes.toByteArray()).path("figures");
    assertEquals(2, figures.size(), figures.toString());
    assertTrue(figures.get(1).path("value").asDouble() > 10, figures.toString());
  }
}
