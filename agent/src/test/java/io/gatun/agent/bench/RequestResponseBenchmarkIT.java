package io.gatun.agent.bench;

import io.gatun.agent.Machine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code gatun bench rr --quick --runs 2 -o json}. */
class RequestResponseBenchmarkIT {
  @BeforeAll
  static void machine() {
    Machine.fit("nft", "nstat", "sockperf", "ss");
  }

  @Test
  void shouldMeasureBothSidesAndLeaveNothing() throws Exception {
    QuickRun.of("rr", false);
  }
}
