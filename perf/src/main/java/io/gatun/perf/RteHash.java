package io.gatun.perf;

import io.gatun.lab.Command;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * DPDK's rte_hash with keys of 16 bytes, as {@code hash_perf_autotest} has them, in a program that
 * is compiled here for this processor: with as many keys as ours has, hits and misses.
 */
final class RteHash {
  static final String NAME = "rte_hash";

  /** 64 bytes of keys, hits' and misses', and what a bucket and an entry take. */
  private static final int BYTES_A_KEY = 160;

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path program;
  private final int keys;
  private final double seconds;

  private RteHash(Path program, int keys, double seconds) {
    this.program = program;
    this.keys = keys;
    this.seconds = seconds;
  }

  /** Whether it can be built; if not, says what is missing. */
  static boolean isAvailable() throws IOException {
    boolean tools = Program.isInstalled("gcc") && Program.isInstalled("pkg-config");
    if (!tools || !Command.of("pkg-config", "--exists", "libdpdk").run().succeeded()) {
      System.err.println(
          "bench: no figures of rte_hash, and no ratios: needs gcc, pkg-config and libdpdk-dev");
      return false;
    }
    return true;
  }

  /** Compiles it into {@code folder}, to be run for {@code seconds} at a time. */
  static RteHash build(Path folder, int keys, double seconds) throws IOException {
    Path source = folder.resolve("rte_hash_peer.c");
    try (InputStream resource = RteHash.class.getResourceAsStream("rte_hash_peer.c")) {
      Files.copy(Objects.requireNonNull(resource), source, StandardCopyOption.REPLACE_EXISTING);
    }
    Path program = folder.resolve("rte_hash_peer");
    List<String> words =
        new ArrayList<>(List.of("gcc", "-O3", "-march=native", source.toString(), "-o"));
    words.add(program.toString());
    String flags =
        Command.of("pkg-config", "--cflags", "--libs", "libdpdk").run().orThrow().output();
    words.addAll(List.of(flags.strip().split("\\s+", -1)));
    Command.of(words.toArray(new String[0])).within(PATIENCE).run().orThrow();
    return new RteHash(program, keys, seconds);
  }

  /** Huge pages that it needs. */
  int megabytes() {
    return 256 + (int) ((long) keys * BYTES_A_KEY >> 20);
  }

  String command() {
    return "rte_hash_peer %d %.1f %d".formatted(keys, seconds, megabytes());
  }

  /** Nanoseconds of a key that is there, and of one that is not. */
  double[] measure() throws IOException {
    String output =
        Command.of(
                program.toString(),
                Integer.toString(keys),
                Double.toString(seconds),
                Integer.toString(megabytes()))
            .within(PATIENCE)
            .run()
            .orThrow()
            .output();
    Map<String, Double> figures = new HashMap<>();
    for (String line : output.lines().toList()) {
      String[] words = line.split(" ", -1);
      if (words.length == 2 && words[0].matches("hit|miss|keys")) {
        figures.put(words[0], Double.parseDouble(words[1]));
      }
    }
    if (!figures.keySet().containsAll(List.of("hit", "miss"))) {
      throw new IOException(command() + " measured nothing: " + output.strip());
    }
    return new double[] {
      Objects.requireNonNull(figures.get("hit")), Objects.requireNonNull(figures.get("miss"))
    };
  }
}
