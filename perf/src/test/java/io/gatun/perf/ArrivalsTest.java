package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ArrivalsTest {
  private static Arrivals arrivals(long... timesAndCounts) {
    Arrivals.Log log = new Arrivals.Log();
    for (int i = 0; i < timesAndCounts.length; i += 2) {
      log.add(timesAndCounts[i], timesAndCounts[i + 1]);
    }
    return log.arrivals();
  }

  @Test
  void shouldTellWhenTheFirstOneCame() {
    assertEquals(30, arrivals(10, 7, 20, 7, 30, 8, 40, 9).first());
    assertEquals(-1, arrivals(10, 7, 20, 7).first());
  }

  @Test
  void shouldTellTheLongestSilenceBetweenArrivals() {
    assertEquals(40, arrivals(0, 0, 10, 1, 20, 1, 50, 2, 60, 3).longestSilence());
  }

  @Test
  void shouldTellWhenARateWasReached() {
    Arrivals growing = arrivals(0, 0, 10, 0, 20, 0, 30, 10, 40, 30, 50, 50, 60, 70, 70, 90);
    assertEquals(2.0, growing.rateAtTheEnd(20));
    assertEquals(50, growing.reached(0.9 * 2, 20));
    assertEquals(-1, growing.reached(3, 20));
  }

  @Test
  void shouldHoldManyLooks() {
    Arrivals.Log log = new Arrivals.Log();
    for (int i = 0; i < 5000; i++) {
      log.add(i, 2L * i);
    }
    assertEquals(2.0, log.arrivals().rateAtTheEnd(4000));
  }
}
