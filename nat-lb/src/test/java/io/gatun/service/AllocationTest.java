package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.port.memory.MemoryPort;
import io.gatun.worker.WorkerCounters;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A worker allocates nothing: memory ports, all stages, hits and replies of both families, new
 * flows that expire again, plain packets, answers and drops. {@code -Dgatun.long} for 10 million
 * packets a round.
 */
class AllocationTest {
  private static final long PACKETS = Boolean.getBoolean("gatun.long") ? 10_000_000 : 500_000;
  private static final int CLIENTS = 2_000;

  /**
   * All clients come by in 16 cycles or so; this long, so that a datagram's flow (30 s) is gone.
   */
  private static final long CYCLE_NANOS = 4_000_000_000L;

  private static final long PATIENCE_NANOS = 300_000_000_000L;

  @Test
  void shouldAllocateNothing() {
    try (NodeInMemory node = new NodeInMemory(20_000)) {
      node.add(MemoryPort.replaying(NodeInMemory.POD, "pod", node.pool, fromPods()));
      node.add(MemoryPort.replaying(NodeInMemory.UPLINK, "uplink", node.pool, fromOutside()));
      run(node, 300_000);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      // What the stages allocate, they allocate in every round; what the interpreter allocates
      // until
      // everything is compiled, and the JVM while it links, they do not. So the best round is
      // theirs,
      // and how many it takes until then is a matter of the machine: minutes when that is busy.
      long allocated = Long.MAX_VALUE;
      long deadline = System.nanoTime() + PATIENCE_NANOS;
      while (allocated != 0 && System.nanoTime() < deadline) {
        long before = threads.getCurrentThreadAllocatedBytes();
        run(node, PACKETS);
        allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
      }
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

  private static void run(NodeInMemory node, long packets) {
    for (long cycle = 0; cycle < packets / PacketVector.CAPACITY; cycle++) {
      node.nanos += CYCLE_NANOS;
      node.worker.doWork();
    }
  }

  /** Every client's datagram opens a flow; between them what is always the same. */
  private static List<byte[]> fromPods() {
    List<byte[]> steady =
        List.of(
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4000, 80).flags(Tcp.SYN).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4000, 80).payload(99).bytes(),
            PacketBuilder.ip("fd01::2", "fd96::10").tcp(4000, 80).flags(Tcp.SYN).bytes(),
            PacketBuilder.ip("fd01::2", "fd96::10").tcp(4000, 80).payload(99).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.30").tcp(4001, 80).flags(Tcp.SYN).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(4000, 80).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.7.7").tcp(4000, 80).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.20").tcp(4000, 80).bytes(),
            PacketBuilder.ip("fd01::2", "fd96::10").udp(4000, 81).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").echo(7, 7).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4009, 80).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(4000, 80).ttl(1).bytes(),
            Arrays.copyOf(PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(1, 2).bytes(), 30));
    List<byte[]> frames = new ArrayList<>();
    for (int client = 0; client < CLIENTS; client++) {
      boolean six = client % 4 == 3;
      frames.add(
          PacketBuilder.ip(six ? "fd01::2" : "10.1.0.2", six ? "fd96::10" : "10.96.0.10")
              .udp(10_000 + client, 80)
              .bytes());
      frames.add(steady.get(client % steady.size()));
    }
    return frames;
  }

  private static List<byte[]> fromOutside() {
    return List.of(
        PacketBuilder.ip("10.2.0.3", "10.1.0.2").tcp(8080, 4000).flags(Tcp.SYN | Tcp.ACK).bytes(),
        PacketBuilder.ip("10.2.0.3", "10.1.0.2").tcp(8080, 4000).payload(500).bytes(),
        PacketBuilder.ip("fd02::3", "fd01::2").tcp(8080, 4000).payload(500).bytes(),
        PacketBuilder.ip("192.0.2.9", "192.168.0.2").tcp(4000, 30080).flags(Tcp.SYN).bytes(),
        PacketBuilder.ip("10.2.0.3", "192.168.0.2").tcp(8080, 4000).payload(9).bytes());
  }
}
