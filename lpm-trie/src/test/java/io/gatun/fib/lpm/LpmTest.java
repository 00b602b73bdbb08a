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

  @Test
  void shouldKeepLoneHostRoutesInTheNodeAboveThem() {
    try (Lpm4 lpm = new Lpm4("test", Runnable::run)) {
      lpm.add(0x0A000000, 8, 1);
      lpm.add(0x0A010001, 32, 2);
      long one = lpm.bytes();
      for (int i = 1; i < 64; i++) {
        lpm.add(0x0A010001 | i << 8, 32, 2);
      }
      assertTrue(lpm.bytes() <= one, "the same leaf for all: " + one + " to " + lpm.bytes());
      for (int i = 0; i < 64; i++) {
        assertEquals(2, lpm.lookup(0x0A010001 | i << 8));
        assertEquals(1, lpm.lookup(0x0A010002 | i << 8));
        assertTrue(lpm.remove(0x0A010001 | i << 8, 32));
        assertEquals(1, lpm.lookup(0x0A010001 | i << 8));
      }
    }
  }

  /** More answers than a node has leaves: as many again as slots. */
  @Test
  void shouldAnswerWhereEverySlotHasALonePrefixAndAMissOfItsOwn() {
    try (Lpm4 lpm = new Lpm4("test", Runnable::run)) {
      for (int i = 0; i < 64; i++) {
        lpm.add(0x0A010000 | i << 8, 24, 1000 + i);
        lpm.add(0x0A010040 | i << 8, 26, 2000 + i);
      }
      for (int removed = 0; removed < 64; removed++) {
        int[] addresses = new int[128];
        int[] answers = new int[128];
        for (int i = 0; i < 64; i++) {
          addresses[i] = 0x0A010000 | i << 8;
          addresses[64 + i] = 0x0A01007F | i << 8;
        }
        lpm.lookup(addresses, answers, 128);
        for (int i = 0; i < 64; i++) {
          assertEquals(1000 + i, answers[i]);
          assertEquals(i < removed ? 1000 + i : 2000 + i, answers[64 + i]);
          assertEquals(answers[64 + i], lpm.lookup(addresses[64 + i]));
        }
        assertTrue(lpm.remove(0x0A010040 | removed << 8, 26));
      }
    }
  }
}
