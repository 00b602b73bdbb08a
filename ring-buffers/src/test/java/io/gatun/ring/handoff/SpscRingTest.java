package io.gatun.ring.handoff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SpscRingTest {
  @Test
  void shouldBehaveLikeAQueue() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    try (NativeArea area = NativeArea.map("spsc-test", SpscRing.bytes(16, 24))) {
      SpscRing ring = new SpscRing(area.address(), 16, 24);
      ArrayDeque<Long> published = new ArrayDeque<>();
      ArrayDeque<Long> claimed = new ArrayDeque<>();
      long next = 0;
      for (int step = 0; step < 100_000; step++) {
        switch (random.nextInt(3)) {
          case 0 -> {
            long slot = ring.claim();
            assertEquals(published.size() + claimed.size() == 16, slot == 0, "seed " + seed);
            if (slot != 0) {
              Memory.putLong(slot, next);
              Memory.putLong(slot + 16, ~next);
              claimed.add(next++);
            }
          }
          case 1 -> {
            ring.publish();
            published.addAll(claimed);
            claimed.clear();
          }
          default -> {
            int n = ring.poll(1 + random.nextInt(16));
            int used = random.nextInt(n + 1);
            assertTrue(n > 0 || published.isEmpty(), "seed " + seed);
            for (int i = 0; i < used; i++) {
              long expected = published.remove();
              assertEquals(expected, Memory.getLong(ring.slot(i)), "seed " + seed);
              assertEquals(~expected, Memory.getLong(ring.slot(i) + 16), "seed " + seed);
            }
            ring.release(used);
          }
        }
        assertEquals(published.size(), ring.depth(), "seed " + seed);
      }
    }
  }

  @Test
  void shouldCarryEverythingInOrderBetweenTwoThreads() throws InterruptedException {
    int count = 300_000;
    try (NativeArea area = NativeArea.map("spsc-test", SpscRing.bytes(64, 8))) {
      SpscRing ring = new SpscRing(area.address(), 64, 8);
      Thread producer =
          new Thread(() -> {
            for (long i = 0; i < count; ) {
              if (ring.offer(i)) {
                i++;
              } else {
                Thread.yield();
              }
            }
          });
      producer.start();
      for (long i = 0; i < count; ) {
        long value = ring.take(-1);
        if (value == -1) {
          Thread.yield();
        } else {
          assertEquals(i++, value);
        }
      }
      producer.join();
      assertEquals(0, ring.depth());
    }
  }

  @Test
  void shouldRefuseShapesItCannotHold() {
    assertThrows(IllegalArgumentException.class, () -> new SpscRing(4096, 12, 8));
    assertThrows(IllegalArgumentException.class, () -> new SpscRing(4096, 16, 12));
    assertThrows(IllegalArgumentException.class, () -> new SpscRing(4096 + 8, 16, 8));
    assertNotEquals(0, SpscRing.bytes(16, 8));
  }
}
