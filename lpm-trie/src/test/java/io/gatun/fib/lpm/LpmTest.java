package io.gatun.fib.lpm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LpmTest {
  private static final long SEED = Long.getLong("gatun.test.seed", 20261121L);

  @Test
  void shouldPreferLongestAndUncoverShorterOnDelete() {
    try (Lpm4 lpm = new Lpm4("test", Runnable::run)) {
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
    try (Lpm6 lpm = new Lpm6("test", Runnable::run)) {
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
    try (Lpm4 lpm = new Lpm4("test", Runnable::run)) {
      assertThrows(IllegalArgumentException.class, () -> lpm.add(0x0A000001, 8, 1));
      assertThrows(IllegalArgumentException.class, () -> lpm.add(0, 33, 1));
      assertThrows(IllegalArgumentException.class, () -> lpm.add(0, 0, 0));
    }
  }

  @Test
  void shouldShrinkAfterAFlood() {
    try (Lpm4 lpm = new Lpm4("test", Runnable::run)) {
      lpm.add(0x0A000000, 8, 1);
      Random random = new Random(SEED);
      int[] flood = random.ints(60_000).map(address -> address & 0xFFFFFF00).distinct().toArray();
      for (int i = 0; i < flood.length; i++) {
        lpm.add(flood[i], 24, 2 + i % 7);
      }
      long large = lpm.bytes();
      for (int i = 0; i < flood.length; i++) {
        assertEquals(2 + i % 7, lpm.lookup(flood[i] | 5));
        assertTrue(lpm.remove(flood[i], 24));
      }
      assertEquals(1, lpm.size());
      assertEquals(1, lpm.lookup(0x0A0B0C0D));
      assertEquals(0, lpm.lookup(0x0B0B0C0D));
      assertTrue(lpm.bytes() < 1_100_000 && large > 2_000_000, large + " to " + lpm.bytes());
    }
  }

  @Test
  void shouldRefuseNextHopsThatALeafCannotHold() {
    try (Lpm4 lpm = new Lpm4("test", Runnable::run)) {
      lpm.add(0, 0, 32_767);
      assertEquals(32_767, lpm.lookup(1));
      assertThrows(IllegalArgumentException.class, () -> lpm.add(0, 0, 32_768));
    }
  }
}
