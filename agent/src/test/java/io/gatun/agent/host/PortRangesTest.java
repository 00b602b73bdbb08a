package io.gatun.agent.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PortRangesTest {
  private static List<String> ranges(IntStream ports) {
    return PortRanges.of(new TreeSet<>(ports.boxed().toList()));
  }

  @Test
  void shouldJoinNeighbours() {
    assertEquals(
        List.of("80-80", "30080-30082", "30443-30443"),
        ranges(IntStream.of(30081, 80, 30443, 30082, 30080)));
  }

  @Test
  void shouldTakeAllNodePortsTogetherWhenTheyAreMany() {
    IntStream many =
        IntStream.concat(IntStream.of(80, 443), IntStream.range(0, 100).map(i -> 30_000 + 10 * i));
    assertEquals(List.of("80-80", "443-443", "30000-30990"), ranges(many));
  }
}
