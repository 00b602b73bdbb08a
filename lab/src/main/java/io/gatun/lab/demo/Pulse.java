package io.gatun.lab.demo;

import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A ping every 5 ms from one pod to another, to see how long an outage lasted; one beat is one
 * process, for one thread.
 *
 * <pre>{@code
 * Pulse pulse = Pulse.start(topology, clientA, web1, Duration.ofSeconds(4));
 * kill(gatun);
 * Pulse.Reading reading = pulse.await();
 * assertTrue(reading.longestSilence().toMillis() < hold + 100, reading::toString);
 * }</pre>
 */
public final class Pulse {

  /** For the process to start, beyond the time it was told to run. */
  private static final long SLACK_SECONDS = 10;

  private final Process process;
  private final Duration length;

  /**
   * What was felt.
   *
   * @param longestSilence the longest time without an answer, also at the beginning or the end
   * @param silentAtEnd since the last answer
   * @param late how long the pulse itself waited for a processor: that much is not the network's
   */
  public record Reading(
      int answered, int sent, Duration longestSilence, Duration silentAtEnd, Duration late) {
    @Override
    public String toString() {
      return "%d of %d answered, longest silence %d ms, %d ms at the end, itself %d ms late"
          .formatted(
              answered, sent, longestSilence.toMillis(), silentAtEnd.toMillis(), late.toMillis());
    }
  }

  private Pulse(Process process, Duration length) {
    this.process = process;
    this.length = length;
  }

  public static Pulse start(TwoNodes topology, Pod from, Pod to, Duration length)
      throws IOException {
    String[] words =
        Servers.pythonWords(topology, "pulse", to.address(), Long.toString(length.toMillis()));
    return new Pulse(new ProcessBuilder(from.node().enter(words)).start(), length);
  }

  /** Waits for the end of the time it was started for. */
  public Reading await() throws IOException {
    try (var output = process.inputReader()) {
      if (!process.waitFor(length.toSeconds() + SLACK_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("the pulse did not end");
      }
      String line = output.readLine();
      if (line == null) {
        throw new IOException("no pulse: " + process.errorReader().readLine());
      }
      String[] words = line.split(" ", -1);
      return new Reading(
          Integer.parseInt(words[0]),
          Integer.parseInt(words[1]),
          Duration.ofMillis(Long.parseLong(words[2])),
          Duration.ofMillis(Long.parseLong(words[3])),
          Duration.ofMillis(Long.parseLong(words[4])));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
      throw new IOException("interrupted", e);
    }
  }
}
