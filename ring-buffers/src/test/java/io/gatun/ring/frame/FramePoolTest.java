package io.gatun.ring.frame;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Pools only count addresses: no memory stands behind these. */
class FramePoolTest {
  private static final long BASE = 1L << 40;

  @Test
  void shouldHandOutEveryFrameOnceThenNone() {
    FramePool pool = new FramePool(new FrameDepot(BASE, FrameDepot.CHUNK, 1000));
    Set<Long> seen = new HashSet<>();
    for (int i = 0; i < 1000; i++) {
      assertTrue(seen.add(pool.take()));
    }
    assertFalse(seen.contains(0L));
    assertEquals(0, pool.take());
    pool.give(BASE + 2048);
    assertEquals(BASE + 2048, pool.take());
  }

  @Test
  void shouldBehaveLikeSetsWhenSeveralPoolsShareADepot() {
    for (int frameBytes : new int[] {FrameDepot.CHUNK, 4096, FrameDepot.SUPER_FRAME}) {
      long seed = System.nanoTime();
      Random random = new Random(seed);
      FrameDepot depot = new FrameDepot(BASE, frameBytes, 700);
      FramePool[] pools = {new FramePool(depot), new FramePool(depot), new FramePool(depot)};
      List<Long> held = new ArrayList<>(); // the model: who is not here is free
      Set<Long> heldSet = new HashSet<>();
      int bias = 50;
      for (int step = 0; step < 100_000; step++) {
        if (step % 3000 == 0) {
          bias = 10 + random.nextInt(80);
        }
        FramePool pool = pools[random.nextInt(3)];
        if (random.nextInt(100) < bias) {
          long frame = pool.take();
          if (frame == 0) {
            assertEquals(0, depot.available(), "seed " + seed);
            assertEquals(0, pool.available(), "seed " + seed);
          } else {
            assertTrue(heldSet.add(frame), "seed " + seed);
            held.add(frame);
            assertEquals(frame, depot.frameOf(frame + random.nextInt(frameBytes)));
          }
        } else if (!held.isEmpty()) {
          int i = random.nextInt(held.size());
          long frame = held.set(i, held.getLast());
          held.removeLast();
          heldSet.remove(frame);
          if (random.nextInt(10) == 0) {
            depot.give(frame);
          } else {
            pool.give(frame);
          }
        }
        int free = depot.available();
        for (FramePool each : pools) {
          free += each.available();
        }
        assertEquals(700, free + held.size(), "seed " + seed);
      }
      for (FramePool each : pools) {
        each.close();
      }
      assertEquals(700 - held.size(), depot.available(), "seed " + seed);
    }
  }

  @Test
  void shouldFindFramesThatAreGivenTwiceOrAreNotOurs() {
    FrameDepot depot = new FrameDepot(BASE, FrameDepot.CHUNK, 4);
    FramePool pool = new FramePool(depot);
    long frame = pool.take();
    assertNotEquals(0, frame);
    pool.give(frame);
    assertThrows(IllegalStateException.class, () -> pool.give(frame));
    assertThrows(IllegalStateException.class, () -> depot.give(frame));
    assertThrows(IllegalArgumentException.class, () -> pool.give(frame + 1));
    assertThrows(IllegalArgumentException.class, () -> pool.give(BASE + 4 * 2048));
  }

  @Test
  void shouldKnowItsOwnFrames() {
    FrameDepot depot = new FrameDepot(BASE, FrameDepot.SUPER_FRAME, 3);
    assertTrue(depot.owns(BASE));
    assertTrue(depot.owns(BASE + 3 * FrameDepot.SUPER_FRAME - 1));
    assertFalse(depot.owns(BASE + 3 * FrameDepot.SUPER_FRAME));
    assertFalse(depot.owns(BASE - 1));
    assertEquals(2, depot.indexOf(BASE + 3 * FrameDepot.SUPER_FRAME - 1));
  }
}
