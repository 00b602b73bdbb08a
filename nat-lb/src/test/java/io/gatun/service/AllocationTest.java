package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Allocation;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.Verdict;
import io.gatun.port.memory.MemoryPort;
import io.gatun.worker.WorkerCounters;
import org.junit.jupiter.api.Test;

/**
 * A worker allocates nothing: memory ports, all stages, hits and replies of both families, new
 * flows that expire again, plain packets, answers and drops. {@code -Dgatun.long} for 10 million
 * packets a round.
 */
class AllocationTest {
  private static final long PACKETS = Boolean.getBoolean("gatun.long") ? 10_000_000 : 500_000;

  @Test
  void shouldAllocateNothing() {
    try (NodeInMemory node = new NodeInMemory(20_000)) {
      node.add(MemoryPort.replaying(NodeInMemory.POD, "pod", node.pool, MixedTraffic.fromPods()));
      node.add(
          MemoryPort.replaying(
              NodeInMemory.UPLINK, "uplink", node.pool, MixedTraffic.fromOutside()));
      MixedTraffic.run(node, 300_000);
      long allocated = Allocation.ofBest(() -> MixedTraffic.run(node, PACKETS));
      WorkerCounters counters = node.counters();
      long opened = // all fronts are one Service's, and each copy tells the Service's count
          node.services.services().stream().mapToLong(ServiceCopy::connections).max().orElse(0);
      System.out.printf(
          "%,d packets a round: %,d bytes allocated; in all %,d in, %,d sent, %,d answered, %,d"
              + " dropped, %,d flows opened%n",
          PACKETS,
          allocated,
          counters.received(),
          counters.verdicts(Verdict.SEND),
          counters.verdicts(Verdict.ANSWER),
          counters.dropped(),
          opened);
      assertEquals(0, allocated, "bytes allocated by the worker's thread");
      assertEquals(counters.received(), counters.transmitted() + counters.dropped());
      assertTrue(opened > counters.received() / 10, "new flows: " + opened);
      assertTrue(counters.verdicts(Verdict.ANSWER) > 100, "answers");
      assertTrue(counters.drops(DropReason.UNASSIGNED_SERVICE_ADDRESS) > 1000, "drops");
      assertTrue(counters.drops(DropReason.BAD_IP_HEADER) > 1000, "malformed");
    }
  }
}
