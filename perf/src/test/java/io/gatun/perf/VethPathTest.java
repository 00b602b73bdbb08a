package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class VethPathTest {
  private static final List<String> HEAD =
      List.of(
          "Inter-|   Receive                                                |  Transmit",
          " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets");

  @Test
  void shouldReadWhatArrivedAtTheSink() throws IOException {
    List<String> lines =
        List.of(
            HEAD.get(0), HEAD.get(1), "    lo:  10   1 0 0", " sink0: 640000   10000    0    0");
    assertEquals(10_000, VethPath.received(lines, "sink0"));
    assertThrows(IOException.class, () -> VethPath.received(HEAD, "sink0"));
  }

  @Test
  void shouldCountFreeHugePages() {
    assertEquals(
        3, HugePages.free(List.of("HugePages_Total:      10", "HugePages_Free:        3")));
    assertEquals(0, HugePages.free(List.of("MemTotal: 1 kB")));
  }

  @Test
  void shouldWriteMacs() {
    assertEquals("02:00:0a:01:00:01", VethPath.text(VethPath.IN_MAC));
  }
}
