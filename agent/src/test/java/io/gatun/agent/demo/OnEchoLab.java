package io.gatun.agent.demo;

import io.gatun.agent.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Tests that each have an {@link EchoLab} of their own, called after the class. */
abstract class OnEchoLab {
  EchoLab lab;

  @BeforeAll
  static void machine() {
    Machine.fit("python3", "ss");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    String name = getClass().getSimpleName().replaceAll("IT$", "").toLowerCase(Locale.ROOT);
    lab = EchoLab.up(runDirectory, name);
  }

  @AfterEach
  void down() throws IOException {
    lab.close();
  }
}
