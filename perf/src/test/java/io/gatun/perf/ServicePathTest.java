package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** What is measured is done, with every memory access checked. */
class ServicePathTest {
  @Test
  void shouldTranslateEveryFrame() {
    try (ServiceTraffic traffic = new ServiceTraffic(500);
        ServicePath path = new ServicePath(traffic)) {
      path.refill();
      assertThrows(IllegalStateException.class, path::verify, "frames as they came are noticed");
      assertEquals(ServicePath.FRAMES, path.forwardAll());
      path.verify();
    }
  }
}
