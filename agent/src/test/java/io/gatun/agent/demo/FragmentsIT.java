package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.agent.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Datagrams that the kernels fragment, through a Service and back. */
class FragmentsIT {
  private EchoLab lab;

  @BeforeAll
  static void machine() {
    Machine.fit("python3", "ss");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    lab = EchoLab.up(runDirectory, "fragments");
  }

  @AfterEach
  void down() throws IOException {
    lab.close();
  }

  @ParameterizedTest
  @CsvSource({"10.96.1.0", "fd00:96::1:0"})
  void shouldCarryLargeDatagramsBothWays(String front) throws Exception {
    lab.gatun("");
    lab.serve();
    for (String bytes : new String[] {"100", "4000", "60000"}) {
      assertEquals(
          "50",
          lab.client(
              Duration.ofSeconds(200),
              "datagrams",
              front,
              Integer.toString(EchoLab.PORT),
              bytes,
              "50"),
          bytes + " bytes");
    }
  }
}
