package io.gatun.agent.bench;

import io.gatun.agent.Machine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code gatun bench vxlan --service --quick --runs 2 -o json}. */
class VxlanBenchmarkIT {
  @BeforeAll
  static void machine() {
    Machine.fit("bridge", "ethtool", "iperf3", "nstat");
  }

  @Test
  void shouldMeasureBothSidesAndLeaveNothing() throws Exception {
    QuickRun.of("vxlan", true);
  }
}
