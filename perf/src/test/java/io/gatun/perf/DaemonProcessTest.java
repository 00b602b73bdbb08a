package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DaemonProcessTest {
  @ParameterizedTest
  @CsvSource({
    "/memfd:gatun umem (deleted), FRAMES",
    "/memfd:java_heap (deleted), HEAP",
    "/run/gatun/state/flows, FLOWS",
    "/usr/lib/jvm/temurin-25-jdk-amd64/lib/server/libjvm.so, FILES",
    "'', REST",
    "[heap], REST",
  })
  void shouldKnowMappingsByTheirNames(String name, DaemonProcess.Kind kind) {
    assertEquals(kind, DaemonProcess.kind(name));
  }
}
