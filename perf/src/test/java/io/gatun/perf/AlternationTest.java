package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class AlternationTest {
  private final StringBuilder log = new StringBuilder();

  /** Writes down what is done with it: + entered, its letter measured, - left. */
  private class Recorder implements Alternation.Side {
    private final char letter;
    private int measured;

    Recorder(char letter) {
      this.letter = letter;
    }

    @Override
    public void enter() throws IOException {
      log.append('+');
    }

    @Override
    public double[] measure() {
      log.append(letter);
      return new double[] {++measured, -measured};
    }

    @Override
    public void leave() {
      log.append('-');
    }
  }

  @Test
  void shouldMeasureInPairsTurnedRound() throws IOException {
    Alternation.Runs runs = Alternation.of(3, new Recorder('A'), new Recorder('B'));
    assertEquals("+A-+BB-+AA-+B-", log.toString());
    assertArrayEquals(new double[] {1, 2, 3}, runs.ours(0));
    assertArrayEquals(new double[] {-1, -2, -3}, runs.peer(1));
    assertTrue(runs.hasPeer());
  }

  @Test
  void shouldMeasureOneSideAlone() throws IOException {
    Alternation.Runs runs = Alternation.alone(2, new Recorder('A'));
    assertEquals("+AA-", log.toString());
    assertFalse(runs.hasPeer());
  }

  @Test
  void shouldUndoASideThatCouldNotBeSetUp() {
    Recorder broken =
        new Recorder('B') {
          @Override
          public void enter() throws IOException {
            super.enter();
            throw new IOException("no such thing");
          }
        };
    assertThrows(IOException.class, () -> Alternation.of(2, new Recorder('A'), broken));
    assertEquals("+A-+-", log.toString());
  }
}
