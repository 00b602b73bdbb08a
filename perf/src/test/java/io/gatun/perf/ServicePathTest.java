package io.gatun.perf;

import org.junit.jupiter.api.Test;

/** What is measured is done, with every memory access checked. */
class ServicePathTest {
  @Test
  void shouldTranslateEveryFrame() {
    try (ServiceTraffic traffic = new ServiceTraffic(500);
        ServicePath path = new ServicePath(traffic)) {
      path.verify();
      path.cycle();
      path.cycle();
      path.requireAllSent();
      path.bareCycle();
      path.byStage(new long[path.names().size()]);
      path.verify();
    }
  }
}
