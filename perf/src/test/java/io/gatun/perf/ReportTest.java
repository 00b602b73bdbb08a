package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The JSON has exactly the members that scripts rely on. */
class ReportTest {
  private final Figure alone =
      Figure.cost("established", "ns/packet", new double[] {70, 50, 60}, 80.0, 40.0);
  private final Figure beside =
      new Figure(
          "rate",
          9,
          "Mpps",
          List.of(9.0),
          new Figure.Peer("other", 10, List.of(10.0), "other --fast"),
          0.9,
          0.95,
          1.15);

  @Test
  void shouldHaveShapeOfInterface() throws Exception {
    Machine machine = Machine.since(Machine.Time.now());
    JsonNode json =
        new ObjectMapper()
            .readTree(
                new Report(
                        "service",
                        Map.of("flows", 1000),
                        List.of(alone, beside),
                        machine,
                        "2026-11-21T10:00:00Z",
                        42)
                    .json());
    assertEquals(
        List.of("bench", "arguments", "figures", "machine", "started", "seconds"), names(json));
    assertEquals(
        List.of("what", "value", "unit", "runs", "peer", "ratio", "floor", "goal", "holds"),
        names(json.get("figures").get(0)));
    assertEquals(
        List.of("name", "value", "runs", "command"), names(json.get("figures").get(1).get("peer")));
    assertEquals(
        List.of("cpu", "cores", "kernel", "jdk", "stealPercent", "vulnerabilities"),
        names(json.get("machine")));
    assertTrue(json.get("figures").get(0).get("peer").isNull());
  }

  @Test
  void shouldSayWhatHolds() {
    assertEquals(60, alone.value());
    assertEquals("floor", alone.holds());
    assertEquals("no", beside.holds());
  }

  private static List<String> names(JsonNode node) {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }
}
