package io.gatun.agent;

import io.gatun.lab.Command;
import io.gatun.lab.Node;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** {@code ./gatun run}, as an operator starts it: supervised, with a standby. */
public final class Launcher {
  public static final String PATH = Path.of("..", "gatun").toAbsolutePath().normalize().toString();

  private Launcher() {}

  /**
   * Starts it without waiting.
   *
   * @param javaOptions of the daemon
   * @param more words for {@code run}
   */
  public static GatunProcess start(
      Node node, Path config, Path manifests, List<String> javaOptions, String... more)
      throws IOException {
    // Built already, except where somebody is just editing: that must not count as a slow start.
    Command.of(PATH, "--version").within(Duration.ofMinutes(5)).run().orThrow();
    return GatunProcess.start(node, config, manifests, PATH, javaOptions, List.of(more));
  }
}
