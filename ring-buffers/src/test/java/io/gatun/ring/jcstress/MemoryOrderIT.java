package io.gatun.ring.jcstress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Runs jcstress as a process of its own, as it forks, prints and exits as it likes. */
class MemoryOrderIT {
  /** Every test in every compilation mode for 50 ms: enough to meet each outcome. */
  private static final List<String> BRIEF =
      List.of(
          "-m",
          "sanity",
          "-time",
          "50",
          "-strideSize",
          "256",
          "-strideCount",
          "40",
          "-sc",
          "false");

  @Test
  void shouldSeeNothingThatIsForbidden() throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Runtime.getRuntime().availableProcessors() >= 2, "jcstress needs two processors");
    String mode = System.getProperty("gatun.jcstress", "brief");
    Path directory = Files.createDirectories(Path.of("target", "jcstress"));
    Path log = directory.resolve("log.txt");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of("org.openjdk.jcstress.Main", "-v"));
    command.addAll(List.of("-jvmArgsPrepend", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(mode.equals("brief") ? BRIEF : List.of("-m", mode));
    int exit =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start()
            .waitFor();
    String output = Files.readString(log);
    assertEquals(0, exit, output);
    assertTrue(output.contains("Failed tests: No matches."), output);
    assertTrue(output.contains("Error tests: No matches."), output);
    assertTrue(output.contains("All remaining tests: 5 matching test results."), output);
  }
}
