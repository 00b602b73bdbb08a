package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Predicate;

/** Asks again and again until the answer is right; stateless. */
final class Await {
  private static final int PAUSE_MILLIS = 50;

  private Await() {}

  interface Question {
    String ask() throws IOException;
  }

  /** The first answer of which {@code holds} is true; a failure that names {@code what} else. */
  static String answer(String what, Duration patience, Question question, Predicate<String> holds)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    String answer = question.ask();
    while (!holds.test(answer)) {
      assertTrue(System.nanoTime() < end, "no " + what + ": " + answer);
      Thread.sleep(PAUSE_MILLIS);
      answer = question.ask();
    }
    return answer;
  }
}
