package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.flow.FlowHash;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    for (int n : new int[] {50, 300, 1000}) {
      int[] share = new int[n];
      for (int endpoint : Maglev.table(identities(n))) {
        share[endpoint]++;
      }
      for (int s : share) {
        assertTrue(Math.abs(s - Maglev.size(n) / n) <= 1, n + " endpoints, share " + s);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {33, 50, 100, 500, 1000, 5000})
  void shouldMoveFewSlotsOfTheOthersWhenAnEndpointGoes(int n) {
    long[] all = identities(n);
    int[] before = Maglev.table(all);
    int[] after = Maglev.table(Arrays.copyOf(all, n - 1));
    assertEquals(before.length, after.length);
    int moved = 0;
    for (int i = 0; i < before.length; i++) {
      if (before[i] != n - 1 && before[i] != after[i]) {
        moved++;
      }
    }
    assertTrue(moved < before.length * 0.01, moved + " of " + before.length + " moved");
  }

  /** As 100,000 flows are spread over a set, and who gets what when one endpoint goes. */
  private static int[] choices(EndpointSet set, int flows) {
    try (Blocks blocks = new Blocks()) {
      long record = SetRecord.write(blocks, set, endpoint -> 0);
      int[] chosen = new int[flows];
      for (int i = 0; i < flows; i++) {
        // One client after another and port after port, as they come in life.
        int hash = FlowHash.of(0x0a010000 + i / 1000, 0x0a60000a, (40000 + i % 1000) << 16 | 80, 6);
        chosen[i] = SetRecord.choose(record, hash, (int) (Maglev.mix(i) >>> 32));
      }
      return chosen;
    }
  }

  private static EndpointSet set(int n, Algorithm algorithm, int... weights) {
    Map<InetSocketAddress, Integer> endpoints = new HashMap<>();
    for (int i = 0; i < n; i++) {
      endpoints.put(
          new InetSocketAddress("10.2.%d.%d".formatted(i / 250, 1 + i % 250), 8080),
          weights.length == 0 ? 1 : weights[i]);
    }
    return EndpointSet.of(endpoints, algorithm);
  }

  private static double chiSquared(int[] chosen, EndpointSet set) {
    int[] count = new int[set.size()];
    int weights = 0;
    for (int i = 0; i < set.size(); i++) {
      weights += set.weight(i);
    }
    for (int c : chosen) {
      count[c]++;
    }
    double sum = 0;
    for (int i = 0; i < set.size(); i++) {
      double expected = (double) chosen.length * set.weight(i) / weights;
      sum += (count[i] - expected) * (count[i] - expected) / expected;
    }
    return sum;
  }

  /** semantics.md, 4: "uniformly by flow hash". Probability 0.0001 of the bounds; fixed input. */
  @Test
  void shouldSpreadFlowsEvenly() {
    for (Algorithm algorithm : List.of(Algorithm.MAGLEV, Algorithm.RANDOM)) {
      EndpointSet five = set(5, algorithm);
      double chiSquared = chiSquared(choices(five, 100_000), five);
      assertTrue(chiSquared < 23.5, algorithm + ", 5 endpoints: " + chiSquared);
      EndpointSet hundred = set(100, algorithm);
      chiSquared = chiSquared(choices(hundred, 100_000), hundred);
      assertTrue(chiSquared < 161, algorithm + ", 100 endpoints: " + chiSquared);
    }
  }

  @Test
  void shouldSpreadFlowsByWeight() {
    EndpointSet small = set(4, Algorithm.MAGLEV, 1, 2, 3, 10);
    double chiSquared = chiSquared(choices(small, 100_000), small);
    assertTrue(chiSquared < 21.1, "small: " + chiSquared);
    int[] weights = new int[60];
    Arrays.setAll(weights, i -> 1 + i % 3);
    EndpointSet large = set(60, Algorithm.MAGLEV, weights);
    chiSquared = chiSquared(choices(large, 100_000), large);
    assertTrue(chiSquared < 108, "large: " + chiSquared);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 10, 32, 50, 200})
  void shouldMoveOnlyTheFlowsOfTheEndpointThatGoes(int n) {
    EndpointSet all = set(n, Algorithm.MAGLEV);
    int gone = n / 2;
    List<InetSocketAddress> left = new ArrayList<>(all.endpoints());
    left.remove(gone);
    EndpointSet fewer = EndpointSet.of(left);
    int[] before = choices(all, 100_000);
    int[] after = choices(fewer, 100_000);
    int moved = 0;
    for (int i = 0; i < before.length; i++) {
      if (before[i] != gone
          && !all.endpoints().get(before[i]).equals(fewer.endpoints().get(after[i]))) {
        moved++;
      }
    }
    assertTrue(n <= Rendezvous.MOST ? moved == 0 : moved < 1000, n + ": " + moved + " moved");
  }

  @Test
  void shouldMakeATableOfAHundredThousandEndpoints() {
    EndpointSet set = set(60_000, Algorithm.MAGLEV);
    int[] chosen = choices(set, 100_000);
    assertTrue(Arrays.stream(chosen).distinct().count() > 40_000);
  }

  @Test
  void shouldPreferTheEndpointWithTheFewestConnections() {
    for (int n : new int[] {3, 50}) {
      long[] loads = new long[n];
      try (Blocks blocks = new Blocks()) {
        EndpointSet set = set(n, Algorithm.LEAST_CONNECTION);
        long record =
            SetRecord.write(
                blocks,
                set,
                endpoint -> {
                  long counter = blocks.take(8);
                  Memory.putLong(counter, 0);
                  return counter;
                });
        for (int i = 0; i < 100 * n; i++) {
          int chosen = SetRecord.choose(record, i, (int) (Maglev.mix(i) >>> 32));
          loads[chosen]++;
          Memory.getAndAddLong(SetRecord.load(SetRecord.endpoint(record, chosen)), 1);
        }
      }
      for (long load : loads) {
        assertTrue(Math.abs(load - 100) <= (n == 3 ? 1 : 8), Arrays.toString(loads));
      }
    }
  }
}
