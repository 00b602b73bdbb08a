package io.gatun.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpinWindowTest {
  /** What a look costs. */
  private static final long LOOK = 500;

  private final SpinWindow window = new SpinWindow();
  private long now = 1_000_000;
  private int sleeps;

  /** Nanoseconds that the worker looked for work in vain since the last question. */
  private long looked;

  /** A pause of so many microseconds, then work. */
  private void pause(long micros, int pieces) {
    long end = now + micros * 1000;
    while (now < end && !window.isOver(now)) {
      now += LOOK;
      looked += LOOK;
    }
    if (now < end) {
      now = end;
      sleeps++;
      window.slept(now, true);
    }
    window.worked(pieces);
  }

  private void pauses(int count, long micros, int pieces) {
    for (int i = 0; i < count; i++) {
      pause(micros, pieces);
    }
  }

  private int sleepsNow() {
    int before = sleeps;
    sleeps = 0;
    looked = 0;
    return before;
  }

  /** Microseconds between frames, and whether the worker sleeps between them in the end. */
  @ParameterizedTest
  @CsvSource({"8, false", "49, false", "60, false", "190, false", "210, true", "10000, true"})
  void shouldLookBetweenFramesThatAreClose(long apart, boolean sleep) {
    pauses(20, apart, 1);
    sleepsNow();
    pauses(100, apart, 1);
    assertEquals(sleep ? 100 : 0, sleepsNow());
    assertTrue(!sleep || window.nanos() == SpinWindow.LEAST);
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "1000"})
  void shouldForgetAPauseSoonerThanItWasLong(int count) {
    pauses(10, 150, 1);
    assertEquals(SpinWindow.MOST, window.nanos());
    pauses(count, 1_000_000, 1);
    pauses(3, 150, 1);
    assertEquals(SpinWindow.MOST, window.nanos());
  }

  /** Frames in a burst, and microseconds between bursts. */
  @ParameterizedTest
  @CsvSource({"32, 60", "32, 160", "16, 30", "1000, 100"})
  void shouldSleepBetweenBursts(int frames, long apart) {
    pauses(50, apart, frames);
    sleepsNow();
    pauses(100, apart, frames);
    assertTrue(looked <= 100 * (SpinWindow.PAUSE + 2 * LOOK), looked + " ns");
    assertEquals(100, sleepsNow());
  }

  @Test
  void shouldNotTakeAHoleInABurstForItsEnd() {
    pauses(10, 60, 2);
    sleepsNow();
    pauses(1000, 60, 2);
    assertEquals(0, sleepsNow(), "twos are no burst");
    for (int burst = 0; burst < 50; burst++) {
      pauses(16, 3, 2);
      pause(60, 2);
    }
    assertTrue(sleepsNow() > 30);
    assertEquals(SpinWindow.PAUSE, window.nanos());
  }

  /** What was learnt of single frames is not lost, and comes back soon. */
  @Test
  void shouldLookAgainWhenBurstsAreOver() {
    pauses(10, 100, 1);
    pauses(100, 160, 64);
    pauses(20, 100, 1);
    sleepsNow();
    pauses(100, 100, 1);
    assertEquals(0, sleepsNow());
  }

  @Test
  void shouldLookOnlyOnceWhenNothingCame() {
    window.worked(1);
    assertFalse(window.isOver(now));
    assertTrue(window.isOver(now + SpinWindow.MOST));
    window.slept(now += 100_000_000, false);
    assertTrue(window.isOver(now + 1));
    window.worked(1);
    assertFalse(window.isOver(now + 1));
  }
}
