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
 * A peer in C from the resources, compiled here against libdpdk for this processor. It prints a
 * name and a number a line.
 */
final class DpdkProgram {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path program;

  private DpdkProgram(Path program) {
    this.program = program;
  }

  /** Whether one can be built; if not, says that {@code peer} is left out and what is missing. */
  static boolean isBuildable(String peer) throws IOException {
    boolean tools = Program.isInstalled("gcc") && Program.isInstalled("pkg-config");
    if (!tools || !Command.of("pkg-config", "--exists", "libdpdk").run().succeeded()) {
      System.err.println(
          "bench: no figures of "
              + peer
              + ", and no ratios: needs gcc, pkg-config and libdpdk-dev");
      return false;
    }
    return true;
  }

  /** Compiles {@code name.c} into {@code folder}. */
  static DpdkProgram build(Path folder, String name) throws IOException {
    Path source = folder.resolve(name + ".c");
    try (InputStream resource = DpdkProgram.class.getResourceAsStream(name + ".c")) {
      Files.copy(Objects.requireNonNull(resource), source, StandardCopyOption.REPLACE_EXISTING);
    }
    Path program = folder.resolve(name);
    List<String> words =
        new ArrayList<>(List.of("gcc", "-O3", "-march=native", source.toString(), "-o"));
    words.add(program.toString());
    String flags =
        Command.of("pkg-config", "--cflags", "--libs", "libdpdk").run().orThrow().output();
    words.addAll(List.of(flags.strip().split("\\s+", -1)));
    Command.of(words.toArray(new String[0])).within(PATIENCE).run().orThrow();
    return new DpdkProgram(program);
  }

  /** What it prints, by name; it must print all of {@code wanted}. */
  Map<String, Double> run(List<String> wanted, String... arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of(program.toString()));
    words.addAll(List.of(arguments));
    String output =
        Command.of(words.toArray(new String[0])).within(PATIENCE).run().orThrow().output();
    Map<String, Double> figures = new HashMap<>();
    for (String line : output.lines().toList()) {
      String[] pair = line.split(" ", -1);
      if (pair.length == 2 && wanted.contains(pair[0])) {
        figures.put(pair[0], Double.parseDouble(pair[1]));
      }
    }
    if (!figures.keySet().containsAll(wanted)) {
      throw new IOException(program.getFileName() + " measured nothing: " + output.strip());
    }
    return figures;
  }
}
