package io.gatun.lab.demo;

import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint leaves the manifest: who answers new connections after a moment, and whether one that
 * was open goes on; immutable result.
 *
 * @param newConnections who answered them, a name each
 * @param oldConnection who answered on the connection that was open; null when it broke
 */
public record Withdrawal(List<String> newConnections, @Nullable String oldConnection) {

  private static final int REQUESTS = 40;

  /**
   * Takes {@code web-2} out of the Service {@code web}, for whose servers see {@link #serve}.
   *
   * @param grace how long after the change the first new connection is made
   */
  public static Withdrawal of(TwoNodes topology, Pod client, Duration grace) throws IOException {
    String[] words = Servers.pythonWords(topology, "linger", Cluster.WEB, "80", "web-2");
    Process lingering = new ProcessBuilder(client.node().enter(words)).start();
    try (var answers = lingering.inputReader();
        var go = lingering.getOutputStream()) {
      if (answers.readLine() == null) {
        throw new IOException("web-2 never answered: " + lingering.errorReader().readLine());
      }
      Cluster.writeWeb(topology, List.of(topology.pod("web-1")));
      TimeUnit.NANOSECONDS.sleep(grace.toNanos());
      List<String> news = ask(client.node());
      go.write("on\n".getBytes(StandardCharsets.US_ASCII));
      go.flush();
      return new Withdrawal(news, answers.readLine());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      lingering.destroyForcibly();
    }
  }

  /** Starts the servers of all Services, as the demonstration does. */
  public static void serve(TwoNodes topology) throws IOException {
    Servers.start(topology);
  }

  /** Nothing new went to the endpoint that left, and what ran goes on. */
  public boolean graceful() {
    return newConnections.size() == REQUESTS
        && newConnections.stream().allMatch("web-1"::equals)
        && "web-2".equals(oldConnection);
  }

  private static List<String> ask(Node node) throws IOException {
    String script =
        "for i in $(seq "
            + REQUESTS
            + "); do curl -s --max-time 3 http://"
            + Cluster.WEB
            + "/ || exit; done";
    return node.exec("sh", "-c", script).output().lines().map(Withdrawal::pod).toList();
  }

  private static String pod(String answer) {
    return answer.substring(0, Math.max(0, answer.indexOf(' ')));
  }
}
