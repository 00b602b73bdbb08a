package io.gatun.agent.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WarmUpTest {
  /** More than a pid may be, and so of nobody. */
  private static final String DEAD = "warm-up-999999999";

  /** Whatever a process that was killed left: it must neither stay nor keep others cold. */
  @Test
  void shouldWarmUpBesideWhatTheDeadLeft(@TempDir Path state) throws IOException {
    Files.writeString(Files.createDirectory(state.resolve(DEAD)).resolve("flows"), "half a file");
    AtomicInteger cycles = new AtomicInteger();
    WarmUp.run(state, () -> cycles.incrementAndGet() > 100);
    assertTrue(cycles.get() > 100, "packets were sent");
    try (Stream<Path> left = Files.list(state)) {
      assertEquals(List.of(), left.toList());
    }
  }
}
