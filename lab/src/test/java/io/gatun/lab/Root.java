package io.gatun.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** What integration tests need from the machine. */
public final class Root {

  private Root() {}

  public static void required() {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "skipped: network namespaces need root; run the tests as root");
    for (String tool : List.of("ip", "nsenter", "nft", "ethtool", "sysctl")) {
      Assumptions.assumeTrue(installed(tool), () -> "skipped: '" + tool + "' is not installed");
    }
  }

  public static void required(String... tools) {
    required();
    for (String tool : tools) {
      Assumptions.assumeTrue(installed(tool), () -> "skipped: '" + tool + "' is not installed");
    }
  }

  private static boolean installed(String tool) {
    return List.of(String.valueOf(System.getenv("PATH")).split(":", -1)).stream()
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, tool)));
  }
}
