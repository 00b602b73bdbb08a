package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code bench vxlan} measures is what it says. */
class OverlayPathTest {
  @ParameterizedTest
  @CsvSource({
    "FORWARD, 64, 1, 64", "FORWARD, 1450, 1000, 1450",
    "ENCAPSULATE, 64, 1000, 114", "ENCAPSULATE, 1450, 1, 1500",
    "DECAPSULATE, 64, 1, 64", "DECAPSULATE, 1450, 1000, 1450"
  })
  void shouldWrapAndUnwrap(OverlayPath.Way way, int size, int tunnels, int out) {
    try (OverlayPath path = new OverlayPath(way, size, tunnels, true)) {
      assertEquals(out, path.lengthOut());
    }
    try (OverlayPath path = new OverlayPath(way, size, tunnels, false)) {
      for (int k = 0; k < 20; k++) {
        path.cycle();
      }
      path.requireAllSent();
    }
  }
}
