package io.gatun.agent.check;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A program of the machine that is asked something. */
public final class Program {
  private static final int PATIENCE_SECONDS = 20;

  private final @Nullable Process process;

  private Program(@Nullable Process process) {
    this.process = process;
  }

  /** Begins to run it; one that is not installed will have printed nothing. */
  static Program start(String... words) {
    try {
      Process process =
          new ProcessBuilder(List.of(words)).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      process.getOutputStream().close();
      return new Program(process);
    } catch (IOException e) {
      return new Program(null);
    }
  }

  /** What it prints; null when it is not installed or fails. Waits for its end; once. */
  @Nullable String output() {
    if (process == null) {
      return null;
    }
    try {
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
      return ended && process.exitValue() == 0 ? text : null;
    } catch (IOException e) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  /** Runs it; what it prints, null when it is not installed or fails. */
  public static @Nullable String output(String... words) {
    return start(words).output();
  }
}
