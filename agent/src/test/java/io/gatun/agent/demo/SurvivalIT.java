package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Connections through a Service live on when the daemon is killed or replaced. */
class SurvivalIT {
  private static final int CONNECTIONS = 500;

  /** Longer than a start takes on the busiest machine. */
  private static final String HOLD = "onFailure: {hold: 30s}\n";

  private EchoLab lab;

  @BeforeAll
  static void machine() {
    Machine.fit("python3", "ss");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    lab = EchoLab.up(runDirectory, "survival");
  }

  @AfterEach
  void down() throws IOException {
    lab.close();
  }

  @FunctionalInterface
  private interface Succession {
    GatunProcess after(GatunProcess first) throws Exception;
  }

  @Test
  void shouldKeepEveryConnectionThroughAKill() throws Exception {
    survive(first -> {
      first.process().destroyForcibly().waitFor();
      return lab.gatun(HOLD);
    });
  }

  @Test
  void shouldKeepEveryConnectionThroughAReplacement() throws Exception {
    survive(first -> lab.gatun(HOLD, "--replace"));
  }

  private void survive(Succession succession) throws Exception {
    GatunProcess first = lab.gatun(HOLD);
    lab.serve();
    Process client =
        new ProcessBuilder(
                lab.client()
                    .node()
                    .enter(
                        lab.words(
                            "linger",
                            EchoLab.FRONTS.getFirst(),
                            Integer.toString(EchoLab.PORT),
                            Integer.toString(CONNECTIONS),
                            "40")))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader output = client.inputReader()) {
      assertEquals("up", output.readLine());
      Thread.sleep(2000);
      GatunProcess second = succession.after(first);
      assertTrue(
          AdminClient.ask(second.runDirectory().socket(), "flows").size() >= CONNECTIONS,
          "the successor found the flows");
      String line = String.valueOf(output.readLine());
      System.out.println(line + " (ended, longest standstill in ms, alive of " + CONNECTIONS + ")");
      String[] words = line.split(" ", -1);
      assertEquals("0", words[0], "ended");
      assertEquals(Integer.toString(CONNECTIONS), words[2], "alive");
      second.stop();
    } finally {
      client.destroyForcibly();
    }
  }
}
