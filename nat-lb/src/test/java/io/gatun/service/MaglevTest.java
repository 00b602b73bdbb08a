package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.flow.FlowHash;
import org.junit.jupiter.api.Test;

class MaglevTest {
  private static long[] identities(int n) {
    long[] ids = new long[n];
    for (int i = 0; i < n; i++) {
      ids[i] = Maglev.mix(i + 1);
    }
    return ids;
  }

  @Test
  void shouldGiveEveryEndpointTheSameShareOfSlots() {
    for (int n : new int[] {1, 2, 3, 5, 10, 50, 300}) {
      int[] share = new int[n];
      for (int endpoint : Maglev.table(identities(n))) {
        share[endpoint]++;
      }
      for (int s : share) {
        assertTrue(Math.abs(s - Maglev.size(n) / n) <= 1, n + " endpoints, share " + s);
      }
    }
  }

  @Test
  void shouldMoveFewSlotsOfTheOthersWhenAnEndpointGoes() {
    int n = 50;
    int[] before = Maglev.table(identities(n));
    int[] after = Maglev.table(identities(n - 1));
    assertEquals(before.length, after.length);
    int moved = 0;
    for (int i = 0; i < before.length; i++) {
      if (before[i] != n - 1 && before[i] != after[i]) {
        moved++;
      }
    }
    // Measured 2.06 %: 100 slots an endpoint bound the shares' difference by 1 %, not this.
    assertTrue(moved < before.length * 0.03, moved + " of " + before.length + " moved");
  }

  @Test
  void shouldSpreadFlowsEvenly() {
    int n = 5;
    int[] table = Maglev.table(identities(n));
    int[] count = new int[n];
    int flows = 100_000;
    for (int i = 0; i < flows; i++) {
      // One client after another and port after port, as they come in life.
      int hash = FlowHash.of(0x0a010000 + i / 1000, 0x0a60000a, (40000 + i % 1000) << 16 | 80, 6);
      count[table[Maglev.slot(hash, table.length)]]++;
    }
    double[] share = new double[n];
    for (int endpoint : table) {
      share[endpoint] += (double) flows / table.length;
    }
    double chiSquared = 0;
    for (int i = 0; i < n; i++) {
      chiSquared += (count[i] - share[i]) * (count[i] - share[i]) / share[i];
    }
    // 4 degrees of freedom: above 23.5 with probability 0.0001; the input is fixed.
    assertTrue(chiSquared < 23.5, "chi squared " + chiSquared);
  }
}
