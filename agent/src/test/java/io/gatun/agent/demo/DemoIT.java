package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.lab.Lab;
import io.gatun.lab.demo.Demo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code gatun demo}: every check holds, and nothing is left. */
class DemoIT {

  @BeforeAll
  static void machine() {
    Machine.fit("curl", "dig", "dnsmasq", "iperf3", "nstat", "python3", "ss");
  }

  @Test
  void shouldPassEveryCheck(@TempDir Path runDirectory) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      int exit = Demo.run(new Demo.Options(false, false, runDirectory, out), GatunProcess::start);
      assertEquals(0, exit, () -> bytes.toString(StandardCharsets.UTF_8));
    }
    System.out.print(bytes.toString(StandardCharsets.UTF_8));
    assertEquals(List.of(), Lab.list(runDirectory));
  }
}
