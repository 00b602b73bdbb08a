package io.gatun.control.kernel;

import io.gatun.fib.Adjacency;
import java.util.Arrays;

/** How often each next hop stands in a group that has room for a few. */
final class Shares {
  private Shares() {}

  /**
   * Times for each of the first ways, at least one each: the weights themselves where they fit,
   * else as near to their ratio as the room allows.
   */
  static int[] of(int[] weights) {
    int count = Math.min(weights.length, Adjacency.Group.MAX_MEMBERS);
    int divisor = 0;
    for (int i = 0; i < count; i++) {
      divisor = gcd(divisor, Math.max(1, weights[i]));
    }
    int[] times = new int[count];
    long sum = 0;
    for (int i = 0; i < count; i++) {
      times[i] = Math.max(1, weights[i]) / divisor;
      sum += times[i];
    }
    if (sum <= Adjacency.Group.MAX_MEMBERS) {
      return times;
    }
    int[] wanted = times.clone();
    int spare = Adjacency.Group.MAX_MEMBERS - count;
    Arrays.fill(times, 1);
    for (; spare > 0; spare--) {
      int neediest = 0;
      for (int i = 1; i < count; i++) {
        // wanted[i] / times[i] > wanted[neediest] / times[neediest], without division
        if ((long) wanted[i] * times[neediest] > (long) wanted[neediest] * times[i]) {
          neediest = i;
        }
      }
      times[neediest]++;
    }
    return times;
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
