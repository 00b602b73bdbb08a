package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ring.qsbr.Qsbr;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A table that becomes larger while it is used. */
class FlowGrowthTest {
  private static final int FIRST = 64;
  private static final int MAX = 50_000;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldFindEveryFlowAtEveryStepOfGrowing(boolean ipv6) {
    Qsbr qsbr = new Qsbr(1);
    Qsbr.Reader reader = qsbr.register();
    try (FlowTable table = table(qsbr)) {
      reader.online();
      long before = table.bytes();
      for (int n = 0; n < 3000; n++) {
        NewFlow f = FlowFileTest.flow(ipv6, n);
        assertTrue(table.insert(f, 1) > 0 && f.inserted, "flow " + n);
        assertFalse(table.insert(f, 1) < 0 || f.inserted, "a second time " + n);
        table.grow();
        int there = n % 97;
        assertTrue(FlowFileTest.whole(table, FlowFileTest.flow(ipv6, there)), "flow " + there);
        if (n % 3 == 0) {
          reader.quiescent();
        }
        if (n % 5 == 0 && n > 100) { // and what goes is gone, wherever it stands
          FlowView view = new FlowView();
          long low = 0x0a000000L + n - 2;
          assertEquals(1, table.removeIf(flow -> flow.clientLow() == low), view::toString);
          assertFalse(FlowFileTest.whole(table, FlowFileTest.flow(ipv6, n - 2)));
          assertTrue(table.insert(FlowFileTest.flow(ipv6, n - 2), 1) > 0);
        }
      }
      while (table.grow()) {
        reader.quiescent();
      }
      for (int n = 0; n < 3000; n++) {
        assertTrue(FlowFileTest.whole(table, FlowFileTest.flow(ipv6, n)), "flow " + n);
      }
      assertEquals(3000, table.size());
      assertTrue(table.room() >= 6000 && table.bytes() > 10 * before, () -> "" + table.room());
    }
  }

  private static FlowTable table(Qsbr qsbr) {
    return new FlowTable(FIRST, MAX, FlowTimeouts.defaults(), qsbr, null);
  }

  @Test
  void shouldNotGrowBeforeAWorkerThatLooksHasDone() {
    Qsbr qsbr = new Qsbr(1);
    Qsbr.Reader reader = qsbr.register();
    try (FlowTable table = table(qsbr)) {
      reader.online();
      IntStream.range(0, 40).forEach(n -> table.insert(FlowFileTest.flow(false, n), 1));
      assertTrue(table.grow());
      Buckets seen = table.index.current();
      for (int k = 0; k < 10; k++) {
        assertFalse(table.grow());
      }
      assertTrue(table.index.isMoving());
      reader.quiescent();
      assertTrue(table.grow());
      assertTrue(table.grow()); // moved
      assertFalse(table.index.isMoving());
      assertEquals(FIRST, table.room());
      assertFalse(table.grow());
      reader.quiescent();
      assertTrue(table.grow());
      assertEquals(2 * FIRST, table.room());
      assertEquals(seen, table.index.current());
    }
  }

  /** Workers insert, find and remove all the time; those of before are found in every moment. */
  @Test
  void shouldMissNothingWhileOthersLook() throws InterruptedException {
    Qsbr qsbr = new Qsbr(2);
    try (FlowTable table = new FlowTable(1024, MAX, FlowTimeouts.defaults(), qsbr, null)) {
      AtomicInteger missed = new AtomicInteger();
      AtomicBoolean end = new AtomicBoolean();
      AtomicInteger steady = new AtomicInteger();
      Thread[] threads = new Thread[2];
      for (int t = 0; t < threads.length; t++) {
        int odd = t;
        Qsbr.Reader reader = qsbr.register();
        threads[t] =
            new Thread(() -> {
              reader.online();
              int n = odd;
              while (!end.get() && n < 20_000) {
                for (int k = 0; k < 32; k++, n += 2) {
                  if (table.insert(FlowFileTest.flow(n % 4 < 2, n), 1) < 0) {
                    return; // the grower is late
                  }
                }
                for (int k = 1; k < 64; k++) {
                  int one = n - 2 * (int) ((k * 0x9E3779B9L & 0xFFFFFFFFL) * (n / 2) >>> 32);
                  if (one < n && !FlowFileTest.whole(table, FlowFileTest.flow(one % 4 < 2, one))) {
                    missed.incrementAndGet();
                  }
                }
                steady.accumulateAndGet(n, Math::max);
                while (table.room() < 40_000 && table.size() > table.room() * 3 / 4) {
                  reader.quiescent();
                  Thread.onSpinWait();
                }
                reader.quiescent();
              }
              reader.offline();
            });
        threads[t].start();
      }
      long until = System.nanoTime() + 20_000_000_000L;
      while ((threads[0].isAlive() || threads[1].isAlive()) && System.nanoTime() < until) {
        table.grow();
      }
      end.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(0, table.evicted());
      assertEquals(0, missed.get());
      assertTrue(table.room() >= 16 * FIRST, () -> "room " + table.room());
    }
  }
}
