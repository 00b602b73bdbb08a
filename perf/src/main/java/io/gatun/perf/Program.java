package io.gatun.perf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs that a benchmark drives: peers, generators; stateless. */
final class Program {
  /** Where administrators' programs are, also for those whose PATH leaves it out. */
  private static final List<String> SYSTEM = List.of("/usr/local/sbin", "/usr/sbin", "/sbin");

  private Program() {}

  /** {@code name}: of a program on the PATH, or a whole path. */
  static boolean isInstalled(String name) {
    Stream<String> path = Stream.of(String.valueOf(System.getenv("PATH")).split(":", -1));
    return Stream.concat(path, SYSTEM.stream())
        .anyMatch(folder -> Files.isExecutable(Path.of(folder).resolve(name)));
  }

  /** Whether {@code peer} can be measured; if not, says in one line what is missing. */
  static boolean isPeerInstalled(String peer, String name) {
    boolean installed = isInstalled(name);
    if (!installed) {
      System.err.printf(
          "bench: %s is not installed: no figures of %s, and no ratios%n", name, peer);
    }
    return installed;
  }

  /** Asks it to end (SIGTERM), so that it closes what it has open; kills it when it does not. */
  static void end(Process process) throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
