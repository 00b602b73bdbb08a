package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.packet.Frame;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.port.memory.MemoryPort;
import io.gatun.worker.WorkerCounters;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every row of the stage table (hit, miss, reply, masquerade, TTL, not a Service, malformed), both
 * families, through a worker: what leaves is compared with {@code exact-frames.txt}, byte for byte.
 * The bytes there were computed by scapy ({@code src/test/scapy/exact_frames.py}).
 */
class ExactBytesTest {

  @TestFactory
  Stream<DynamicTest> shouldSendExactlyTheseBytes() {
    NodeInMemory node = new NodeInMemory(1000);
    List<MemoryPort> ports = List.of(node.port(NodeInMemory.POD), node.port(NodeInMemory.UPLINK));
    return Stream.concat(
        ExactFrames.rows().stream()
            .map(row -> DynamicTest.dynamicTest(row.name(), () -> run(node, ports, row))),
        Stream.of(DynamicTest.dynamicTest("every frame is back in the pool", node::close)));
  }

  private static void run(NodeInMemory node, List<MemoryPort> ports, ExactFrames.Row row) {
    node.nanos += 10_000_000; // so that the limit of ICMP errors is no part of the table
    List<String> before = ends(node.counters());
    assertTrue(ports.get(row.inPort()).push(row.in()));
    node.worker.doWork();
    List<String> ends = ends(node.counters());
    before.forEach(ends::remove);
    assertEquals(List.of(row.end() + row.reason()), ends);
    if (row.end().equals("drop")) {
      assertEquals(0, ports.get(0).waiting() + ports.get(1).waiting());
      return;
    }
    MemoryPort out = ports.get(row.outPort());
    assertEquals(1, out.waiting(), "frames at the port");
    assertEquals(Frame.hex(row.out()), Frame.hex(Objects.requireNonNull(out.take())));
    assertEquals(
        row.partial(),
        (out.takenFlags() & PacketVector.PARTIAL_CHECKSUM) != 0,
        "checksum left to the device");
  }

  /** Every packet's end so far, a word each. */
  private static List<String> ends(WorkerCounters counters) {
    List<String> ends = new ArrayList<>();
    repeat(ends, "send", counters.verdicts(Verdict.SEND));
    repeat(ends, "answer", counters.verdicts(Verdict.ANSWER));
    for (DropReason reason : DropReason.values()) {
      repeat(ends, "drop" + reason.label(), counters.drops(reason));
    }
    return ends;
  }

  private static void repeat(List<String> into, String word, long times) {
    for (long i = 0; i < times; i++) {
      into.add(word);
    }
  }
}
