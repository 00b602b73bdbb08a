package io.gatun.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpinWindowTest {
  private final SpinWindow window = new SpinWindow();

  /** Microseconds between frames, and whether the worker sleeps between them in the end. */
  @ParameterizedTest
  @CsvSource({"10, false", "49, false", "60, false", "190, false", "210, true", "10000, true"})
  void shouldSpinBetweenFramesThatAreClose(long apart, boolean sleeps) {
    int slept = 0;
    for (int frame = 0; frame < 100; frame++) {
      if (apart * 1000 > window.nanos()) {
        window.slept(apart * 1000);
        slept++;
      }
    }
    assertEquals(sleeps, slept > 2, slept + " sleeps");
    assertTrue(sleeps ? window.nanos() == SpinWindow.LEAST : slept <= 2);
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "1000"})
  void shouldForgetAPauseSoonerThanItWasLong(int pauses) {
    window.slept(100_000);
    window.slept(100_000);
    assertEquals(SpinWindow.MOST, window.nanos());
    for (int i = 0; i < pauses; i++) {
      window.slept(1_000_000_000);
    }
    window.slept(100_000);
    window.slept(100_000);
    assertEquals(SpinWindow.MOST, window.nanos());
  }
}
