package io.gatun.agent.demo;

import io.gatun.lab.Node;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;

/**
 * An API server made of a script, which serves the objects that a file has: by path, a list of each
 * kind. What is written anew it tells its watchers of.
 */
final class ScriptedApi {
  private static final int PORT = 16443;

  private final Path script;
  private final Path objects;
  private final Path kubeconfig;

  /** Writes what it needs into {@code folder}; serves nothing yet. */
  ScriptedApi(Path folder) throws IOException {
    script = folder.resolve("apiserver.py");
    objects = folder.resolve("objects.json");
    kubeconfig = folder.resolve("node.kubeconfig");
    try (InputStream resource = ScriptedApi.class.getResourceAsStream("apiserver.py")) {
      Files.copy(Objects.requireNonNull(resource), script, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.writeString(
        kubeconfig,
        """
        apiVersion: v1
        kind: Config
        clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
        users: [{name: u, user: {token: secret}}]
        contexts: [{name: x, context: {cluster: c, user: u}}]
        current-context: x
        """
            .formatted(PORT));
  }

  Path objects() {
    return objects;
  }

  /** How a client on the same node reaches it. */
  Path kubeconfig() {
    return kubeconfig;
  }

  /** The objects are {@code json} from now on. */
  void write(String json) throws IOException {
    Path next = objects.resolveSibling("next");
    Files.writeString(next, json);
    Files.move(next, objects, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Starts it on {@code node}, and returns when it listens. */
  Process serve(Node node) throws IOException {
    Process process =
        node.spawn("api", "python3", script.toString(), String.valueOf(PORT), objects.toString());
    node.awaitListening(PORT);
    return process;
  }
}
