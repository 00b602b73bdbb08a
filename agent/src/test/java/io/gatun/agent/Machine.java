package io.gatun.agent;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** What these tests need from the machine; without it they are skipped, and say why. */
public final class Machine {

  private Machine() {}

  public static void fit(String... tools) {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "skipped: network namespaces and AF_XDP need root; run the tests as root");
    List<String> path = List.of(String.valueOf(System.getenv("PATH")).split(":", -1));
    for (String tool : tools) {
      Assumptions.assumeTrue(
          path.stream().anyMatch(folder -> Files.isExecutable(Path.of(folder, tool))),
          () -> "skipped: '" + tool + "' is not installed");
    }
  }
}
