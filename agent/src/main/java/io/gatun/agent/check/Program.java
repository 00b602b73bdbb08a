package io.gatun.agent.check;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A program of the machine that is asked something; stateless. */
public final class Program {
  private static final int PATIENCE_SECONDS = 20;

  private Program() {}

  /** What it prints; null when it is not installed or fails. */
  public static @Nullable String output(String... words) {
    try {
      Process process =
          new ProcessBuilder(List.of(words)).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      process.getOutputStream().close();
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
}
