package io.gatun.agent.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.gatun.agent.UsageException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class BesideTest {
  @Test
  void shouldGoOnBesideAndHandOverWhatCameOut() {
    CountDownLatch told = new CountDownLatch(1);
    Beside<String> work =
        Beside.begin(
            "test",
            () -> {
              try {
                told.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return "done";
            });
    told.countDown();
    assertEquals("done", work.outcome());
  }

  @Test
  void shouldThrowWhatTheWorkThrew() {
    UsageException mistake = new UsageException("got nothing, expected something");
    Beside<String> work =
        Beside.begin(
            "test",
            () -> {
              throw mistake;
            });
    assertSame(mistake, assertThrows(UsageException.class, work::outcome));
  }
}
