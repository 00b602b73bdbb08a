package io.gatun.perf;

import java.io.IOException;
import java.nio.file.Path;
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

  private static final String PROGRAM = "rte_hash_peer";

  private final DpdkProgram program;
  private final int keys;
  private final double seconds;

  private RteHash(DpdkProgram program, int keys, double seconds) {
    this.program = program;
    this.keys = keys;
    this.seconds = seconds;
  }

  /** Whether it can be built; if not, says what is missing. */
  static boolean isAvailable() throws IOException {
    return DpdkProgram.isBuildable(NAME);
  }

  /** Compiles it into {@code folder}, to be run for {@code seconds} at a time. */
  static RteHash build(Path folder, int keys, double seconds) throws IOException {
    return new RteHash(DpdkProgram.build(folder, PROGRAM), keys, seconds);
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
    Map<String, Double> figures =
        program.run(
            List.of("hit", "miss"),
            Integer.toString(keys),
            Double.toString(seconds),
            Integer.toString(megabytes()));
    return new double[] {
      Objects.requireNonNull(figures.get("hit")), Objects.requireNonNull(figures.get("miss"))
    };
  }
}
