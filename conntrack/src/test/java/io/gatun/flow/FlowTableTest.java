package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.NativeArea;
import io.gatun.pipeline.PacketVector;
import io.gatun.ring.qsbr.Qsbr;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlowTableTest {
  /** SCTP: its flows never give way to others. */
  private static final int PROTOCOL = 132;

  private record Tuple(long source, long destination, int ports) {}

  private static FlowTable table(int flows, Qsbr qsbr) {
    return new FlowTable(flows, FlowTimeouts.defaults(), qsbr);
  }

  private static NewFlow flow(boolean ipv6, Tuple original, Tuple reply) {
    NewFlow f = new NewFlow();
    f.ipv6 = ipv6;
    f.protocol = PROTOCOL;
    f.sourceHigh =
        f.destinationHigh = f.newSourceHigh = f.newDestinationHigh = ipv6 ? 0xfd00L << 48 : 0;
    f.sourceLow = original.source;
    f.destinationLow = original.destination;
    f.ports = original.ports;
    f.newSourceLow = reply.destination;
    f.newDestinationLow = reply.source;
    f.newPorts = FlowLayout.turned(reply.ports);
    f.hash = hash(ipv6, original);
    return f;
  }

  private static int hash(boolean ipv6, Tuple t) {
    long high = 0xfd00L << 48;
    return ipv6
        ? FlowHash.of(high, t.source, high, t.destination, t.ports, PROTOCOL)
        : FlowHash.of((int) t.source, (int) t.destination, t.ports, PROTOCOL);
  }

  private static long find(FlowTable table, boolean ipv6, Tuple t) {
    long high = 0xfd00L << 48;
    return ipv6
        ? table.find(hash(true, t), high, t.source, high, t.destination, t.ports, PROTOCOL)
        : table.find(hash(false, t), (int) t.source, (int) t.destination, t.ports, PROTOCOL);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAgreeWithANaiveModelOnRandomInsertionsAndRemovals(boolean ipv6) {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    String say = "seed " + seed;
    Map<Tuple, Tuple> peer = new HashMap<>(); // each key of a flow to the other one
    Map<Tuple, Long> entries = new HashMap<>();
    List<Tuple> originals = new ArrayList<>();
    try (FlowTable table = table(300, new Qsbr(1))) {
      for (int step = 0; step < 40_000; step++) {
        Tuple original = random(random);
        Tuple reply = random(random);
        if (random.nextInt(5) < 3) {
          long entry = table.insert(flow(ipv6, original, reply), 1);
          if (entries.containsKey(original)) {
            assertEquals(entries.get(original), entry, say);
          } else if (entries.containsKey(reply) || original.equals(reply)) {
            assertEquals(FlowTable.CLASH, entry, say);
          } else if (originals.size() == 300) {
            assertEquals(FlowTable.FULL, entry, say);
          } else {
            assertTrue(entry != FlowTable.CLASH && entry != FlowTable.FULL, say);
            entries.put(original, entry);
            entries.put(reply, entry + FlowLayout.LINE);
            peer.put(original, reply);
            originals.add(original);
          }
        } else if (!originals.isEmpty()) {
          Tuple gone = originals.remove(random.nextInt(originals.size()));
          long entry = Objects.requireNonNull(entries.get(gone));
          assertTrue(table.remove(random.nextBoolean() ? entry : entry + FlowLayout.LINE), say);
          Tuple goneReply = Objects.requireNonNull(peer.remove(gone));
          entries.remove(gone);
          entries.remove(goneReply);
          assertEquals(0, find(table, ipv6, gone), say);
          assertEquals(0, find(table, ipv6, goneReply), say);
        }
        Tuple any = random(random);
        assertEquals(entries.getOrDefault(any, 0L), find(table, ipv6, any), say);
        assertEquals(originals.size(), table.size(), say);
      }
      for (Map.Entry<Tuple, Long> e : entries.entrySet()) {
        assertEquals(e.getValue(), find(table, ipv6, e.getKey()), say);
      }
      int all = originals.size();
      assertEquals(all, table.copies(f -> true, 1000, 5).size());
      assertEquals(all, table.removeIf(f -> f.protocol() == PROTOCOL));
      assertEquals(0, table.size());
    }
  }

  /** Few enough tuples that they meet. */
  private static Tuple random(Random random) {
    return new Tuple(
        0x0a000000L + random.nextInt(4),
        0xc0a80000L + random.nextInt(4),
        (1000 + random.nextInt(20)) << 16 | (80 + random.nextInt(2)));
  }

  /** Floor and goal: both directions, with TCP state; both families. */
  @ParameterizedTest
  @ValueSource(ints = {1_000, 65_536, 65_537, 100_001})
  void shouldTakeAtMost192BytesAFlow(int flows) {
    try (FlowTable table = table(flows, new Qsbr(1))) {
      assertTrue(table.bytes() <= 190L * flows, table.bytes() + " bytes for " + flows);
    }
  }

  /** A removed flow leaves its tag behind; whoever has the same tag further on is still found. */
  @Test
  void shouldFindWhatStandsBehindAnEmptySlotOfTheSameTag() {
    try (FlowTable table = table(16, new Qsbr(1));
        NativeArea packets = NativeArea.map("packets", 4096)) {
      TrackStage track = new TrackStage(table, () -> 1L << 40);
      PacketVector v = new PacketVector();
      List<Tuple> same = sameBucketAndTag(table);
      List<Long> entries = new ArrayList<>();
      for (Tuple t : same) {
        entries.add(table.insert(flow(false, t, new Tuple(t.source, 7, t.ports)), 1));
      }
      table.remove(entries.getFirst());
      Tuple there = same.getLast();
      v.append(packets.address(), packets.address(), 64, 0);
      v.l3[0] = 14;
      v.flags[0] = 0;
      v.ports[0] = there.ports;
      v.protocol[0] = PROTOCOL;
      v.addresses[0] = there.source << 32 | there.destination;
      track.process(v);
      assertEquals(entries.getLast(), v.flow[0]);
    }
  }

  private static List<Tuple> sameBucketAndTag(FlowTable table) {
    Map<Long, Tuple> seen = new HashMap<>();
    for (int i = 0; ; i++) {
      Tuple t = new Tuple(0x0a000000L + i, 0xc0a80001L, 5000 << 16 | 53);
      int hash = hash(false, t);
      Tuple before = seen.put(table.index.current().bucket(hash) << 16 | (hash & 0xFFFF), t);
      if (before != null) {
        return List.of(before, t);
      }
    }
  }

  @Test
  void shouldChainBucketsThatOverflowAndGiveThemBack() {
    try (FlowTable table = table(2_000, new Qsbr(1))) {
      List<Long> entries = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2_000; i++) {
          Tuple original = new Tuple(0x0a000001L + i, 0xc0a80001L, 5000 << 16 | 53);
          Tuple reply = new Tuple(0x0a640001L, 0x0a000001L + i, 53 << 16 | 5000);
          long entry = table.insert(flow(false, original, reply), 1);
          assertTrue(entry > 0 || entry < -2, "flow " + i);
          entries.add(entry);
          assertEquals(entry, find(table, false, original));
          assertEquals(entry + 64, find(table, false, reply));
        }
        entries.forEach(e -> assertTrue(table.remove(e)));
        entries.clear();
      }
    }
  }

  @Test
  void shouldReuseAFlowOnlyAfterAGracePeriod() {
    Qsbr qsbr = new Qsbr(1);
    Qsbr.Reader reader = qsbr.register();
    try (FlowTable table = table(1, qsbr)) {
      reader.online();
      Tuple original = new Tuple(1, 2, 3);
      long entry = table.insert(flow(false, original, new Tuple(4, 5, 6)), 1);
      assertTrue(table.remove(entry));
      assertEquals(FlowTable.FULL, table.insert(flow(false, original, new Tuple(4, 5, 6)), 1));
      reader.quiescent();
      assertEquals(entry, table.insert(flow(false, original, new Tuple(4, 5, 6)), 1));
    }
  }

  @Test
  void shouldForgetSilentFlowsAndKeepLivelyOnes() {
    try (FlowTable table = table(100, new Qsbr(1))) {
      for (int i = 0; i < 100; i++) {
        table.insert(flow(false, new Tuple(i, 2, 3), new Tuple(4, 5, i)), 0);
      }
      long lively = find(table, false, new Tuple(4, 5, 7));
      int later = Ticks.ofSeconds(200);
      io.gatun.ffm.memory.Memory.putInt(lively + FlowLayout.LAST_SEEN, later);
      for (int tick = 0; tick <= later; tick++) {
        table.sweep(tick);
      }
      assertEquals(100, table.size());
      for (int tick = later; tick <= Ticks.ofSeconds(216); tick++) {
        table.sweep(tick);
      }
      assertEquals(1, table.size());
      assertEquals(lively, find(table, false, new Tuple(4, 5, 7)));
    }
  }

  @Test
  void shouldRefuseASenselessSize() {
    assertThrows(IllegalArgumentException.class, () -> table(0, new Qsbr(1)));
  }

  @Test
  void shouldStayWholeWhenTwoThreadsInsertAndRemoveTheSameFlows() throws InterruptedException {
    long seed = System.nanoTime();
    try (FlowTable table = table(600, new Qsbr(2))) {
      AtomicInteger wrong = new AtomicInteger();
      CountDownLatch start = new CountDownLatch(1);
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 2; t++) {
        Random random = new Random(seed + t);
        Thread thread =
            new Thread(() -> {
              try {
                start.await();
              } catch (InterruptedException e) {
                return;
              }
              for (int i = 0; i < 60_000; i++) {
                int n = random.nextInt(400);
                // Two fronts share a reply: only one of the two flows may exist.
                Tuple original = new Tuple(n / 2, 100 + n % 2, 7);
                Tuple reply = new Tuple(5, n / 2, 9);
                if (random.nextInt(3) == 0) {
                  long entry = find(table, false, original);
                  if (entry != 0) {
                    table.remove(entry);
                  }
                } else {
                  long entry = table.insert(flow(false, original, reply), 1);
                  if (entry == FlowTable.FULL) {
                    wrong.incrementAndGet();
                  }
                }
              }
            });
        threads.add(thread);
        thread.start();
      }
      start.countDown();
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(0, wrong.get(), "seed " + seed);
      int found = 0;
      for (int n = 0; n < 400; n += 2) {
        long a = find(table, false, new Tuple(n / 2, 100, 7));
        long b = find(table, false, new Tuple(n / 2, 101, 7));
        long reply = find(table, false, new Tuple(5, n / 2, 9));
        assertTrue(a == 0 || b == 0, "seed " + seed);
        if (a != 0 || b != 0) {
          found++;
          assertEquals(Math.max(a, b) + 64, reply, "seed " + seed);
        } else {
          assertEquals(0, reply, "seed " + seed);
        }
      }
      assertEquals(found, table.size(), "seed " + seed);
      assertNotEquals(0, found);
    }
  }
}
