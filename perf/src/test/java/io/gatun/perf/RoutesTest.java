package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoutesTest {
  @TempDir private Path folder;

  @Test
  void shouldWriteWhatItReads() throws IOException {
    Path file = folder.resolve("routes");
    Files.writeString(file, "10.0.0.0/8 63\n\n192.0.2.128/25 0\n");
    Routes routes = Routes.read(file);
    assertEquals(
        List.of(
            new Routes.Route(0x0A000000_00000000L, 0, 8, 64),
            new Routes.Route(0xC0000280_00000000L, 0, 25, 1)),
        routes.list());
    Path copy = folder.resolve("copy");
    routes.write(copy);
    assertEquals(List.of("10.0.0.0/8 64", "192.0.2.128/25 1"), Files.readAllLines(copy));
  }

  @Test
  void shouldNameFileLineAndExpectation() throws IOException {
    Path file = folder.resolve("routes");
    for (String wrong :
        List.of("10.0.0.0 1", "10.0.0.0/33 1", "10.0.0/8 1", "::/0 1", "10.0.0.0/8 x")) {
      Files.writeString(file, "10.0.0.0/8 1\n" + wrong + "\n");
      IOException e = assertThrows(IOException.class, () -> Routes.read(file));
      assertTrue(
          String.valueOf(e.getMessage()).startsWith(file + ":2: got \"" + wrong + "\", expected "),
          wrong);
    }
  }

  @Test
  void shouldMakeAsManyDifferentRandomRoutesOfEitherFamily() {
    for (boolean ipv6 : new boolean[] {false, true}) {
      Routes routes = Routes.random(ipv6 ? 128 : 32, 5000);
      assertEquals(5000, routes.list().stream().distinct().count());
      for (long[] address : routes.zipf(100)) {
        assertTrue(routes.list().stream().anyMatch(route -> contains(route, address)));
      }
    }
  }

  private static boolean contains(Routes.Route route, long[] address) {
    int high = Math.min(route.length(), 64);
    int low = route.length() - high;
    return (high == 0 || (route.high() ^ address[0]) >>> (64 - high) == 0)
        && (low == 0 || (route.low() ^ address[1]) >>> (64 - low) == 0);
  }
}
