package io.gatun.agent.bench;

import io.gatun.agent.Machine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code gatun bench veth --service --quick --runs 2 -o json}. */
class VethBenchmarkIT {
  @BeforeAll
  static void machine() {
    Machine.fit("ethtool", "nft", "nstat");
  }

  @Test
  void shouldMeasureBothSidesAndLeaveNothing() throws Exception {
    QuickRun.of("veth", true);
  }
}
