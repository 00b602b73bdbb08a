package io.gatun.fib.lpm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LpmTest {
  @Test
  void shouldPreferLongestAndUncoverShorterOnDelete() {
    try (Lpm4 lpm = new Lpm4("test", 16, Runnable::run)) {
      lpm.add(0, 0, 1);
      lpm.add(0x0A000000, 8, 2);
      lpm.add(0x0A010200, 24, 3);
      lpm.add(0x0A010203, 32, 4);
      assertEquals(1, lpm.lookup(0x0B000000));
      assertEquals(2, lpm.lookup(0x0A020000));
      assertEquals(3, lpm.lookup(0x0A010204));
      assertEquals(4, lpm.lookup(0x0A010203));
      assertTrue(lpm.remove(0x0A010200, 24));
      assertFalse(lpm.remove(0x0A010200, 24));
      assertEquals(2, lpm.lookup(0x0A010204));
      assertEquals(4, lpm.lookup(0x0A010203));
      assertTrue(lpm.remove(0, 0));
      assertEquals(0, lpm.lookup(0xFFFFFFFF));
    }
  }

  @Test
  void shouldReplaceNextHop() {
    try (Lpm6 lpm = new Lpm6("test", 16, Runnable::run)) {
      lpm.add(0x20010DB8_00000000L, 1, 128, 5);
      lpm.add(0x20010DB8_00000000L, 1, 128, 6);
      assertEquals(1, lpm.size());
      assertEquals(6, lpm.lookup(0x20010DB8_00000000L, 1));
      assertEquals(6, lpm.nextHop(0x20010DB8_00000000L, 1, 128));
      assertEquals(0, lpm.lookup(0x20010DB8_00000000L, 2));
    }
  }

  @Test
  void shouldRefuseHostBitsAndBadLengths() {
    try (Lpm4 lpm = new Lpm4("test", 16, Runnable::run)) {
      assertThrows(IllegalArgumentException.class, () -> lpm.add(0x0A000001, 8, 1));
      assertThrows(IllegalArgumentException.class, () -> lpm.add(0, 33, 1));
      assertThrows(IllegalArgumentException.class, () -> lpm.add(0, 0, 0));
    }
  }

  /** Readers see the old answer or the new one while a more specific prefix comes and goes. */
  @Test
  void shouldNeverShowReadersAThirdAnswer() throws InterruptedException {
    Queue<Runnable> retired = new ArrayDeque<>();
    AtomicLong vectors = new AtomicLong();
    AtomicInteger wrong = new AtomicInteger();
    try (Lpm4 lpm = new Lpm4("test", 2, retired::add)) {
      lpm.add(0x0A000000, 8, 7);
      Thread reader =
          new Thread(() -> {
            int[] addresses = {0x0A010203, 0x0A010204, 0x0A010200, 0x0AFF0000};
            int[] nextHops = new int[addresses.length];
            while (!Thread.currentThread().isInterrupted()) {
              lpm.lookup(addresses, nextHops, addresses.length);
              for (int i = 0; i < addresses.length; i++) {
                boolean right = nextHops[i] == 7 || (nextHops[i] == 9 && i < 3);
                if (!right) {
                  wrong.incrementAndGet();
                }
              }
              vectors.incrementAndGet();
            }
          });
      reader.start();
      for (int round = 0; round < 3000; round++) {
        lpm.add(0x0A010203, 32, 9);
        lpm.add(0x0A010200, 24, 9);
        lpm.remove(0x0A010203, 32);
        lpm.remove(0x0A010200, 24);
        if (round % 16 == 0) { // the grace period: the reader has finished two more vectors
          long then = vectors.get();
          while (vectors.get() < then + 2) {
            Thread.yield();
          }
          retired.forEach(Runnable::run);
          retired.clear();
        }
      }
      reader.interrupt();
      reader.join();
      retired.forEach(Runnable::run);
    }
    assertEquals(0, wrong.get());
  }
}
