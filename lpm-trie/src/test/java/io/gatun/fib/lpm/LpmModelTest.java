package io.gatun.fib.lpm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random nested prefixes, added and deleted, against a model that tries every length in turn. */
class LpmModelTest {
  private static final long SEED = Long.getLong("gatun.test.seed", 20261121L);

  /** The roots; beside them a node for each next hop that was ever in force. */
  private static final int EMPTY4 = (1 << 18) * 4 + 1000 * 16;

  private static final int EMPTY6 = (1 << 20) * 4 + 1000 * 16;

  private static final int CROWD = 60;
  private static final long ALIKE = 0x20010L << 44;

  private final Map<Prefix, Integer> model = new HashMap<>();
  private final List<Prefix> known = new ArrayList<>();
  private final Random random = new Random(SEED);

  /** Most prefixes begin alike. */
  private boolean crowded;

  @Test
  void shouldAgreeWithModelForIpv4() {
    try (Lpm4 lpm = new Lpm4("test-lpm4", Runnable::run)) {
      for (int step = 0; step < 20_000; step++) {
        if (known.isEmpty() || random.nextInt(5) < 3) {
          Prefix prefix = nested(32);
          int nextHop = 1 + random.nextInt(1000);
          model.put(prefix, nextHop);
          known.add(prefix);
          lpm.add((int) (prefix.high() >>> 32), prefix.length(), nextHop);
        } else {
          Prefix prefix = known.remove(random.nextInt(known.size()));
          boolean there = model.remove(prefix) != null;
          assertEquals(there, lpm.remove((int) (prefix.high() >>> 32), prefix.length()));
        }
        int[] addresses = new int[16];
        int[] expected = new int[16];
        for (int i = 0; i < addresses.length; i++) {
          addresses[i] = (int) (near(32).high() >>> 32);
          expected[i] = modelLookup((long) addresses[i] << 32, 0, 32);
          assertEquals(expected[i], lpm.lookup(addresses[i]), () -> "seed " + SEED);
        }
        int[] answers = new int[16];
        lpm.lookup(addresses, answers, 16);
        for (int i = 0; i < answers.length; i++) {
          assertEquals(expected[i], answers[i]);
        }
      }
      assertEquals(model.size(), lpm.size());
      for (Prefix prefix : List.copyOf(model.keySet())) {
        lpm.remove((int) (prefix.high() >>> 32), prefix.length());
      }
      assertTrue(lpm.bytes() <= EMPTY4, lpm.bytes() + " bytes: every node folded away");
      assertEquals(0, lpm.lookup(0x0A000001));
    }
  }

  @Test
  void shouldAgreeWithModelForIpv6() {
    try (Lpm6 lpm = new Lpm6("test-lpm6", Runnable::run)) {
      compare(lpm, 10_000, 0.6);
      empty(lpm);
    }
  }

  @Test
  void shouldAgreeWithModelWhilePagesComeAndGo() {
    crowded = true;
    try (Lpm6 lpm = new Lpm6("test-lpm6", CROWD, Runnable::run)) {
      for (int tide = 0; tide < 3; tide++) {
        compare(lpm, 1000, 0.8);
        assertTrue(lpm.hasPage(ALIKE), lpm.size() + " prefixes");
        compare(lpm, 1500, 0.1);
        assertFalse(lpm.hasPage(ALIKE), lpm.size() + " prefixes");
      }
      empty(lpm);
    }
  }

  private void compare(Lpm6 lpm, int steps, double adding) {
    for (int step = 0; step < steps; step++) {
      if (known.isEmpty() || random.nextDouble() < adding) {
        Prefix prefix = nested(128);
        int nextHop = 1 + random.nextInt(1000);
        model.put(prefix, nextHop);
        known.add(prefix);
        lpm.add(prefix.high(), prefix.low(), prefix.length(), nextHop);
      } else {
        Prefix prefix = known.remove(random.nextInt(known.size()));
        boolean there = model.remove(prefix) != null;
        assertEquals(there, lpm.remove(prefix.high(), prefix.low(), prefix.length()));
      }
      long[] high = new long[8];
      long[] low = new long[8];
      int[] expected = new int[8];
      for (int i = 0; i < high.length; i++) {
        Prefix address = near(128);
        high[i] = address.high();
        low[i] = address.low();
        expected[i] = modelLookup(high[i], low[i], 128);
        assertEquals(expected[i], lpm.lookup(high[i], low[i]), () -> "seed " + SEED);
      }
      int[] answers = new int[8];
      lpm.lookup(high, low, answers, 8);
      for (int i = 0; i < answers.length; i++) {
        assertEquals(expected[i], answers[i]);
      }
    }
  }

  private void empty(Lpm6 lpm) {
    for (Prefix prefix : List.copyOf(model.keySet())) {
      lpm.remove(prefix.high(), prefix.low(), prefix.length());
    }
    assertTrue(lpm.bytes() <= EMPTY6, lpm.bytes() + " bytes: every node folded away");
  }

  /** A prefix inside or around one that is known, or somewhere new; lengths 0 and full included. */
  private Prefix nested(int bits) {
    int length =
        switch (random.nextInt(20)) {
          case 0 -> 0;
          case 1, 2 -> bits;
          default -> random.nextInt(bits + 1);
        };
    return near(bits).shortenedTo(length);
  }

  private Prefix near(int bits) {
    long high = random.nextLong();
    long low = random.nextLong();
    if (crowded && random.nextInt(16) != 0) {
      high = ALIKE | high >>> 20;
    }
    if (!known.isEmpty() && random.nextInt(8) != 0) {
      Prefix near = known.get(random.nextInt(known.size()));
      int kept = near.length() + random.nextInt(9);
      Prefix noise = new Prefix(high, low, 128);
      long keepHigh = kept >= 64 ? -1L : kept == 0 ? 0 : -1L << (64 - kept);
      long keepLow = kept >= 128 ? -1L : kept <= 64 ? 0 : -1L << (128 - kept);
      high = (near.high() & keepHigh) | (noise.high() & ~keepHigh);
      low = (near.low() & keepLow) | (noise.low() & ~keepLow);
    }
    return new Prefix(high, low, 128).shortenedTo(bits);
  }

  private int modelLookup(long high, long low, int bits) {
    Prefix address = new Prefix(high, low, 128);
    for (int length = bits; length >= 0; length--) {
      Integer nextHop = model.get(address.shortenedTo(length));
      if (nextHop != null) {
        return nextHop;
      }
    }
    return 0;
  }
}
