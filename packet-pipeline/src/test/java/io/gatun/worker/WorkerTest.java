package io.gatun.worker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Allocation;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.HoldingStage;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.port.memory.MemoryPort;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WorkerTest {
  private static final int FRAMES = 4096;

  private final NativeArea area = NativeArea.map("worker test", (long) FRAMES * FrameDepot.CHUNK);
  private final FrameDepot depot = new FrameDepot(area.address(), FrameDepot.CHUNK, FRAMES);
  private final FramePool pool = new FramePool(depot);
  private final Qsbr qsbr = new Qsbr(2);
  private final MemoryPort a = new MemoryPort(1, "a", pool);
  private final MemoryPort b = new MemoryPort(2, "b", pool);

  @AfterEach
  void unmap() {
    area.close();
  }

  private Worker worker(Stage stage) {
    Worker worker = new Worker("worker-0", pool, qsbr.register(), List.of(stage));
    worker.add(a);
    worker.add(b);
    worker.onStart();
    return worker;
  }

  /** Out of the other port. */
  private static void cross(PacketVector v) {
    for (int i = 0; i < v.size; i++) {
      v.verdict[i] = Verdict.SEND;
      v.outPort[i] = 3 - v.inPort[i];
    }
  }

  private static byte[] frame(int first) {
    byte[] bytes = new byte[64];
    bytes[0] = (byte) first;
    return bytes;
  }

  @Test
  void shouldSendEachFrameOnItsWayOut() {
    try (Worker worker = worker(WorkerTest::cross)) {
      a.push(frame(1));
      b.push(frame(2));
      assertEquals(2, worker.doWork());
      assertArrayEquals(frame(1), b.take());
      assertArrayEquals(frame(2), a.take());
      assertNull(a.take());
      assertEquals(1, worker.counters().rxFrames(1));
      assertEquals(64, worker.counters().txBytes(2));
      assertEquals(0, worker.doWork());
      assertEquals(2, worker.counters().heartbeat());
    }
    assertEquals(FRAMES, depot.available());
  }

  @Test
  void shouldCountWhatIsDroppedAndKeepItsFrames() {
    Stage stage =
        v -> {
          v.drop(0, DropReason.NO_ROUTE);
          v.verdict[1] = Verdict.HOST;
          v.verdict[2] = Verdict.SEND;
          v.outPort[2] = 77; // nobody's
        };
    WorkerCounters counters;
    try (Worker worker = worker(stage)) {
      for (int i = 0; i < 4; i++) {
        a.push(frame(i));
      }
      worker.doWork();
      counters = worker.counters();
    }
    assertEquals(1, counters.drops(DropReason.NO_ROUTE));
    assertEquals(1, counters.drops(DropReason.NO_HOST_PORT));
    assertEquals(1, counters.drops(DropReason.PORT_DOWN));
    assertEquals(1, counters.drops(DropReason.INTERNAL));
    assertEquals(counters.received(), counters.transmitted() + counters.dropped());
    assertEquals(FRAMES, depot.available());
  }

  @Test
  void shouldAddressTheHostWhenThereIsAHostPort() {
    Stage toHost =
        v -> {
          for (int i = 0; i < v.size; i++) {
            v.verdict[i] = Verdict.HOST;
          }
        };
    try (Worker worker = worker(toHost)) {
      worker.hostPort(2, 0x0242_ac11_0002L);
      a.push(frame(9));
      worker.doWork();
      byte[] got = b.take();
      assertNotNull(got);
      assertArrayEquals(
          new byte[] {2, 0x42, (byte) 0xac, 0x11, 0, 2}, java.util.Arrays.copyOf(got, 6));
    }
  }

  @Test
  void shouldDropWhatAFullPortRefuses() {
    try (Worker worker = worker(WorkerTest::cross)) {
      for (int i = 0; i < MemoryPort.CAPACITY + 10; i++) {
        while (!a.push(frame(i))) {
          worker.doWork();
        }
      }
      while (worker.doWork() > 0) {}
      WorkerCounters c = worker.counters();
      assertEquals(MemoryPort.CAPACITY, b.waiting());
      assertEquals(10, c.drops(DropReason.TX_RING_FULL));
      assertEquals(c.received(), c.transmitted() + c.dropped());
      b.setUp(false);
      a.push(frame(0));
      worker.doWork();
      assertEquals(1, c.drops(DropReason.PORT_DOWN));
    }
    assertEquals(FRAMES, depot.available());
  }

  @Test
  void shouldHandOverToTheWorkerThatOwnsTheWayOut() {
    Worker first = new Worker("first", pool, qsbr.register(), List.of(WorkerTest::cross));
    FramePool secondPool = new FramePool(depot);
    Worker second = new Worker("second", secondPool, qsbr.register(), List.of());
    first.add(a);
    second.add(b);
    first.onStart();
    second.onStart();
    HandOff ring = first.handOffTo(second);
    first.route(2, ring);
    for (int i = 0; i < 300; i++) {
      a.push(frame(i));
    }
    while (first.doWork() + second.doWork() > 0) {}
    assertEquals(300, b.waiting());
    assertArrayEquals(frame(0), b.take());
    assertEquals(300, first.counters().handedOff());
    assertEquals(300, second.counters().takenOver());
    a.push(frame(1));
    first.doWork();
    second.remove(2);
    second.doWork();
    assertEquals(1, second.counters().drops(DropReason.PORT_DOWN));
    b.close();
    second.close();
    first.close();
    ring.close();
    assertEquals(FRAMES, depot.available());
  }

  /** Held packets go on by being appended: a worker that is never idle must not keep them. */
  @Test
  void shouldLeaveRoomForWhatIsHeld() {
    int[] most = {0};
    HoldingStage holding =
        new HoldingStage() {
          @Override
          public boolean due() {
            return true;
          }

          @Override
          public void process(PacketVector v) {
            most[0] = Math.max(most[0], v.size);
            cross(v);
          }
        };
    try (Worker worker = worker(holding)) {
      for (int i = 0; i < 2 * PacketVector.CAPACITY; i++) {
        a.push(frame(i));
      }
      worker.doWork();
      worker.doWork();
    }
    assertEquals(PacketVector.CAPACITY - Worker.ROOM_FOR_HELD, most[0]);
  }

  /** What {@code Segmenter} and a packet port's offload header are written from. */
  @Test
  void shouldHandOverWhatASuperFrameIsCutBy() {
    Worker first = new Worker("first", pool, qsbr.register(), List.of());
    Worker second = new Worker("second", new FramePool(depot), qsbr.register(), List.of());
    PacketVector v = new PacketVector();
    v.append(pool.take(), 0, 1514, 1);
    v.flags[0] = PacketVector.PARTIAL_CHECKSUM;
    v.l3[0] = 14;
    v.l4[0] = 34;
    v.protocol[0] = IpProtocol.TCP;
    v.l4Length[0] = 1480;
    v.segmentSize[0] = 700;
    v.csumOffset[0] = Tcp.CHECKSUM;
    v.outPort[0] = 2;
    PacketVector there = new PacketVector();
    HandOff ring = first.handOffTo(second);
    ring.put(v, 0);
    ring.publish();
    assertEquals(1, ring.take(there));
    assertEquals(v.flags[0], there.flags[0]);
    assertEquals(v.l3[0], there.l3[0]);
    assertEquals(v.l4[0], there.l4[0]);
    assertEquals(v.protocol[0], there.protocol[0]);
    assertEquals(v.l4Length[0], there.l4Length[0]);
    assertEquals(v.segmentSize[0], there.segmentSize[0]);
    assertEquals(v.csumOffset[0], there.csumOffset[0]);
    pool.give(there.frame[0]);
    second.close();
    first.close();
    ring.close();
    assertEquals(FRAMES, depot.available());
  }

  @Test
  void shouldAllocateNothingOverAMillionPackets() {
    MemoryPort in = MemoryPort.replaying(3, "in", pool, List.of(frame(1), frame(2)));
    MemoryPort out = MemoryPort.replaying(4, "out", pool, List.of(frame(3)));
    Stage mixed =
        v -> {
          for (int i = 0; i < v.size; i++) {
            v.verdict[i] = i % 5 == 4 ? Verdict.DROP : Verdict.SEND;
            v.dropReason[i] = DropReason.NO_ROUTE.code();
            v.outPort[i] = 4;
          }
        };
    Worker worker = new Worker("worker-0", pool, qsbr.register(), List.of(mixed));
    worker.add(in);
    worker.add(out);
    worker.onStart();
    long cycles = 1_000_000 / PacketVector.CAPACITY;
    for (int i = 0; i < 2_000; i++) {
      worker.doWork();
    }
    long allocated =
        Allocation.ofBest(() -> {
          for (int i = 0; i < cycles; i++) {
            worker.doWork();
          }
        });
    assertEquals(0, allocated, "bytes allocated by the worker over a million packets");
    assertTrue(worker.counters().received() > 1_000_000);
    assertEquals(
        worker.counters().received(),
        worker.counters().transmitted() + worker.counters().dropped());
    worker.close();
  }

  @Test
  void shouldSleepWakeUpAndEndVisibly() throws Exception {
    Worker worker = new Worker("worker-0", pool, qsbr.register(), List.of(WorkerTest::cross));
    WorkerThread thread = WorkerThread.start(worker, Idling.ADAPTIVE, WorkerThread.ANY_CPU);
    long deadline = System.nanoTime() + 5_000_000_000L;
    while (!worker.counters().isParked() && System.nanoTime() < deadline) {
      Thread.sleep(1);
    }
    assertTrue(worker.counters().isParked());
    java.util.concurrent.CountDownLatch done = new java.util.concurrent.CountDownLatch(1);
    worker.submit(done::countDown);
    assertTrue(done.await(2, java.util.concurrent.TimeUnit.SECONDS));
    worker.inject(Fault.EXCEPTION);
    while (thread.isAlive() && System.nanoTime() < deadline) {
      Thread.sleep(1);
    }
    assertNotNull(thread.failure());
    assertTrue(thread.stop(1000));
    assertTrue(!worker.counters().isParked());
    worker.close();
  }

  @Test
  void shouldRenewOnlyWhileEverybodyMoves() {
    try (Worker worker = worker(WorkerTest::cross)) {
      AtomicLong control = new AtomicLong();
      AtomicLong until = new AtomicLong();
      Watchdog dog =
          new Watchdog(until::set, 5_000_000_000L, List.of(worker.counters()), control::get);
      worker.doWork();
      assertTrue(dog.look(1_000));
      assertEquals(5_000_001_000L, until.get());
      control.incrementAndGet();
      assertEquals(false, dog.look(2_000), "the worker stands still");
      worker.doWork();
      assertEquals(false, dog.look(3_000), "the control thread stands still");
      control.incrementAndGet();
      worker.counters().parked(true);
      assertTrue(dog.look(4_000), "asleep is alive");
      worker.counters().parked(false);
      assertEquals(5_000_004_000L, until.get());
    }
  }
}
