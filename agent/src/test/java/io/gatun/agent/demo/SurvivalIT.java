package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.RunDirectory;
import io.gatun.agent.admin.AdminClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Connections through a Service live on when the daemon is killed or replaced. {@code
 * -Dgatun.connections=10000} for as many.
 */
class SurvivalIT extends OnEchoLab {
  private static final int CONNECTIONS = Integer.getInteger("gatun.connections", 1000);

  /** What {@code auto} takes on veths. */
  private static final String DRIVER = System.getProperty("gatun.driver", "packet");

  /** How long they are watched: a restart takes some seconds on a busy machine. */
  private static final int SECONDS = 18;

  /** {@code -Dgatun.replacements=5}: one after the other, for a distribution. */
  private static final int REPLACEMENTS = Integer.getInteger("gatun.replacements", 1);

  private static final int SECONDS_EACH = 6;

  /** Seconds: two thousand packets a second each way, which a worker of a busy machine can do. */
  private static final double PAUSE = Math.max(0.5, CONNECTIONS / 5000.0);

  /** Longer than a start takes on the busiest machine. */
  private static final String HOLD = "onFailure: {hold: 30s}\n";

  private static final Duration WARM = Duration.ofSeconds(60);

  @FunctionalInterface
  private interface Succession<T> {
    T after(GatunProcess first) throws Exception;
  }

  /** Its launcher starts another, as an operator's would. */
  @Test
  void shouldKeepEveryConnectionThroughAKill() throws Exception {
    GatunProcess supervised = lab.supervised(HOLD, DRIVER);
    survive(
        supervised,
        first -> {
          first.awaitStandby("warm", WARM);
          ProcessHandle.of(first.pid()).orElseThrow().destroyForcibly();
          first.awaitReady(WARM);
          return first;
        });
    assertTrue(supervised.process().waitFor(10, TimeUnit.SECONDS), supervised.log());
  }

  /** Sockets change hands while they are open: nothing is lost, and nobody waits long. */
  @Test
  void shouldKeepEveryConnectionAndPacketThroughAReplacement() throws Exception {
    Process pulse =
        survive(
            lab.gatun(HOLD),
            first -> {
              int beats = 8 + SECONDS_EACH * REPLACEMENTS;
              Process beating = spawn("pulse", EchoLab.FRONTS.get(1), EchoLab.PORT, beats);
              for (int i = 0; i < REPLACEMENTS; i++) {
                Thread.sleep(2000);
                GatunProcess next = lab.gatun(HOLD, "--replace");
                next.log()
                    .lines()
                    .filter(line -> line.contains("took over"))
                    .forEach(System.out::println);
              }
              return beating;
            });
    try (BufferedReader output = pulse.inputReader()) {
      assertEquals("up", output.readLine());
      String line = String.valueOf(output.readLine());
      System.out.println(
          line + " (sent, lost, longest silence in ms, round trip p50, p99, max, sent late)");
      String[] words = line.split(" ", -1);
      double silence = Double.parseDouble(words[2]);
      double late = Double.parseDouble(words[6]);
      // A worker that waits for a processor finds its rings full, with or without a successor.
      assertTrue(Integer.parseInt(words[1]) < 1000, "lost");
      assertTrue(silence < 1000 + late, "longest silence"); // 50 is the aim on a quiet machine
    }
  }

  private Process spawn(Object... words) throws IOException {
    String[] texts = Arrays.stream(words).map(Object::toString).toArray(String[]::new);
    return new ProcessBuilder(lab.client().node().enter(lab.words(texts)))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private <T> T survive(GatunProcess first, Succession<T> succession) throws Exception {
    lab.serve();
    int seconds = SECONDS + SECONDS_EACH * (REPLACEMENTS - 1);
    Process client =
        spawn("linger", EchoLab.FRONTS.getFirst(), EchoLab.PORT, CONNECTIONS, seconds, PAUSE);
    try (BufferedReader output = client.inputReader()) {
      assertEquals("up", output.readLine());
      Thread.sleep(2000);
      T result = succession.after(first);
      RunDirectory run = first.runDirectory();
      assertTrue(
          AdminClient.ask(run.socket(), "flows").size() >= CONNECTIONS,
          "the successor found the flows");
      String line = String.valueOf(output.readLine());
      System.out.println(
          line
              + " (ended, longest standstill in ms, alive of "
              + CONNECTIONS
              + ", its median, 99th percentile, longest silence of all)");
      String[] words = line.split(" ", -1);
      assertEquals("0", words[0], "ended");
      assertEquals(Integer.toString(CONNECTIONS), words[2], "alive");
      AdminClient.ask(run.socket(), "stop");
      return result;
    } finally {
      client.destroyForcibly();
    }
  }
}
