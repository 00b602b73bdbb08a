package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

/** Above 1 is better, whatever the unit; a figure without its peer promises nothing. */
class FigureTest {
  private static final double[] RUNS = {3, 1, 2};

  private static Figure.Peer peer(double... runs) {
    return Figure.Peer.of("other", runs, "other --fast");
  }

  @Test
  void shouldTakeTheMedian() {
    assertEquals(2, Figure.median(RUNS));
    assertEquals(2.5, Figure.median(new double[] {4, 1, 2, 3}));
    assertEquals(7, Figure.median(new double[] {7}));
  }

  @Test
  void shouldSetRateAgainstThePeers() {
    Figure figure = Figure.rate("rate", "Gbit/s", RUNS, peer(4, 4, 4), 0.5, 1.0);
    assertEquals(0.5, figure.ratio());
    assertEquals("floor", figure.holds());
    assertEquals("no", Figure.rate("rate", "Gbit/s", RUNS, peer(5), 0.5, 1.0).holds());
    assertEquals("goal", Figure.rate("rate", "Gbit/s", RUNS, peer(2), 0.5, 1.0).holds());
  }

  @Test
  void shouldSetCostAgainstThePeers() {
    Figure figure = Figure.cost("cost", "ns", RUNS, peer(3, 3, 3), 1.0, 2.0);
    assertEquals(1.5, figure.ratio());
    assertEquals("floor", figure.holds());
    assertNull(Figure.cost("cost", "ns", RUNS, peer(3), null, null).holds());
  }

  @Test
  void shouldHaveNoRatioWithoutAPeer() {
    Figure figure = Figure.rate("rate", "Gbit/s", RUNS, null, 0.5, 1.0);
    assertNull(figure.ratio());
    assertNull(figure.holds());
  }
}
