package io.gatun.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class CycleTimesTest {
  @Test
  void shouldCountACycleUnderTheFirstBoundThatHoldsIt() {
    CycleTimes times = new CycleTimes(1);
    for (long nanos : new long[] {0, 1, 1024, 1025, 2048, 2049, 33_554_432, 33_554_433, 1L << 40}) {
      times.cycle(nanos);
    }
    assertEquals(3, times.cycles(0));
    assertEquals(2, times.cycles(1));
    assertEquals(1, times.cycles(2));
    assertEquals(1, times.cycles(15));
    assertEquals(2, times.cycles(16));
    assertEquals(1024, CycleTimes.bound(0));
    assertEquals(33_554_432, CycleTimes.bound(CycleTimes.BUCKETS - 2));
  }
}
