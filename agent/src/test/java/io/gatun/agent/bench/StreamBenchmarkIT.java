package io.gatun.agent.bench;

import io.gatun.agent.Machine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code gatun bench stream --quick --runs 2 -o json}. */
class StreamBenchmarkIT {
  @BeforeAll
  static void machine() {
    Machine.fit("iperf3", "nft", "nstat", "ss");
  }

  @Test
  void shouldMeasureBothSidesAndLeaveNothing() throws Exception {
    QuickRun.of("stream", false);
  }
}
