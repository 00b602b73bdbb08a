package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

  @Test
  void shouldCountOnATerminalAndLeaveNothing() {
    Progress progress = new Progress(2, out, true);
    progress.next();
    progress.next();
    progress.end();
    assertEquals(
        "\r\u001b[Krun 1 of 2\r\u001b[Krun 2 of 2\r\u001b[K",
        bytes.toString(StandardCharsets.UTF_8));
  }

  @Test
  void shouldBeSilentElsewhere() {
    Progress progress = new Progress(2, out, false);
    progress.next();
    progress.end();
    assertEquals(0, bytes.size());
  }
}
