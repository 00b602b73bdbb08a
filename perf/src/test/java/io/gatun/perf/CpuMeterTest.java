package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class CpuMeterTest {
  @Test
  void shouldCountTheWorkOfAProcessThatWasStarted() throws Exception {
    try (CpuMeter meter = CpuMeter.open()) {
      long before = meter.nanos();
      new ProcessBuilder("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
          .start()
          .waitFor();
      long spent = meter.nanos() - before;
      // Some 200 ms; as root with cgroups exactly those, elsewhere whatever the machine did.
      assertTrue(spent > 10_000_000, meter.scope() + ": " + spent + " ns");
    }
  }

  @Test
  void shouldOpenAgainAfterItWasClosed() throws IOException {
    CpuMeter.open().close();
    try (CpuMeter meter = CpuMeter.open()) {
      assertTrue(meter.nanos() > 0);
    }
  }
}
