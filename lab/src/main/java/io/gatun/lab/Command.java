package io.gatun.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A program that runs to its end: immutable, safe for many threads, each {@link #run} one process.
 *
 * @param words the program and its arguments
 * @param input what it reads from standard input; null: nothing
 * @param timeout after this it is killed, with everything it started
 */
public record Command(List<String> words, @Nullable String input, Duration timeout) {

  /** Long enough for any single step of a lab on a busy machine. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** What a process left behind; {@code exit} is -1 when it had to be killed. */
  public record Outcome(List<String> words, int exit, String output, String errors) {
    public boolean succeeded() {
      return exit == 0;
    }

    /** This outcome, or an exception that quotes the command and what it complained of. */
    public Outcome orThrow() throws IOException {
      if (succeeded()) {
        return this;
      }
      String said = (errors.isBlank() ? output : errors).strip();
      throw new IOException(
          String.join(" ", words) + (exit < 0 ? ": timed out " : ": exit " + exit + " ") + said);
    }
  }

  public static Command of(String... words) {
    return new Command(List.of(words), null, PATIENCE);
  }

  public static Command of(List<String> words) {
    return new Command(List.copyOf(words), null, PATIENCE);
  }

  public Command reading(String text) {
    return new Command(words, text, timeout);
  }

  public Command within(Duration time) {
    return new Command(words, input, time);
  }

  /** Runs it and waits; only a program that cannot be started, or an interrupt, is an exception. */
  public Outcome run() throws IOException {
    Process process = new ProcessBuilder(words).start();
    CompletableFuture<String> output = drain(process.getInputStream());
    CompletableFuture<String> errors = drain(process.getErrorStream());
    try {
      try (var stdin = process.getOutputStream()) {
        if (input != null) {
          stdin.write(input.getBytes(StandardCharsets.UTF_8));
        }
      } catch (IOException alreadyGone) {
        // It ended without reading; its exit code tells why.
      }
      boolean ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        kill(process);
        process.waitFor();
      }
      return new Outcome(words, ended ? process.exitValue() : -1, output.join(), errors.join());
    } catch (InterruptedException e) {
      kill(process);
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for " + String.join(" ", words), e);
    }
  }

  private static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** Both pipes are read at once: a process that fills one while we read the other would hang. */
  private static CompletableFuture<String> drain(InputStream stream) {
    var text = new CompletableFuture<String>();
    Thread.ofVirtual()
        .start(() -> {
          try (stream) {
            text.complete(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
          } catch (IOException e) {
            text.completeExceptionally(new UncheckedIOException(e));
          }
        });
    return text;
  }
}
