package io.gatun.fib.lpm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import org.junit.jupiter.api.Test;

class LoneTest {
  @Test
  void shouldGiveBackWhatItWasMadeOf() {
    for (int count = 1; count <= Lone.BITS; count++) {
      for (int bits = 0; bits < 1 << count; bits++) {
        int leaf = Lone.withMiss(Lone.of(32_767, bits, count), 63);
        assertTrue(Lone.is(leaf));
        assertFalse(Node.isChild(leaf));
        assertEquals(count, Lone.count(leaf));
        assertEquals(bits, Lone.bits(leaf));
        assertEquals(32_767, Lone.nextHop(leaf));
        assertEquals(63, Lone.missIndex(leaf));
      }
    }
  }

  @Test
  void shouldAnswerForAllBitsBehindTheNode() {
    try (NativeArea area = NativeArea.map("test", 4096)) {
      long node = area.address();
      Memory.putInt(node + Node.LEAVES + 3 * Node.LEAF_BYTES, 7);
      for (int count = 1; count <= Lone.BITS; count++) {
        int bits = 0b10110101 >>> Lone.BITS - count;
        int leaf = Lone.withMiss(Lone.of(9, bits, count), 3);
        for (int next = 0; next < 1 << Lone.BITS; next++) {
          int expected = next >>> Lone.BITS - count == bits ? 9 : 7;
          assertEquals(expected, Lone.answer(node, leaf, next), count + " bits, " + next);
        }
      }
    }
  }

  @Test
  void shouldLeaveOtherLeavesAsTheyAre() {
    try (NativeArea area = NativeArea.map("test", 4096)) {
      for (int leaf : new int[] {0, 1, 32_767, Node.ofChild(1), Node.ofChild(0x3FFF_FFFF)}) {
        assertEquals(leaf, Lone.answer(area.address(), leaf, 0xA5));
      }
    }
  }
}
