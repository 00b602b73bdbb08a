package io.gatun.ffm;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What tests need the machine to grant. */
public final class Root {
  private Root() {}

  /** Skips the test with a plain message unless we are root. */
  public static void required() {
    try {
      Object uid = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
      assumeTrue(uid.equals(0), "skipped: needs root");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
