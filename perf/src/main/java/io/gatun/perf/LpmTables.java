package io.gatun.perf;

import io.gatun.fib.lpm.Lpm4;
import io.gatun.fib.lpm.Lpm6;
import java.util.Arrays;

/** Our table of either family with its bursts of addresses. One thread. */
final class LpmTables implements AutoCloseable {
  /** As dpdk-test-fib: a burst is timed by a pair of clock reads. */
  static final int BURST = 64;

  private final Routes routes;
  private final Lpm4 table4 = new Lpm4("bench routes4", Runnable::run);
  private final Lpm6 table6 = new Lpm6("bench routes6", Runnable::run);
  private final int[] burst4 = new int[BURST];
  private final long[] high = new long[BURST];
  private final long[] low = new long[BURST];
  private final int[] nextHops = new int[BURST];
  private long sink;

  LpmTables(Routes routes) {
    this.routes = routes;
  }

  /** Nanoseconds a route, to add all. */
  double addAll() {
    long start = System.nanoTime();
    for (Routes.Route route : routes.list()) {
      if (routes.isIpv6()) {
        table6.add(route.high(), route.low(), route.length(), route.nextHop());
      } else {
        table4.add((int) (route.high() >>> 32), route.length(), route.nextHop());
      }
    }
    return (double) (System.nanoTime() - start) / routes.list().size();
  }

  /** Nanoseconds a route, to delete all. */
  double deleteAll() {
    long start = System.nanoTime();
    for (Routes.Route route : routes.list()) {
      if (routes.isIpv6()) {
        table6.remove(route.high(), route.low(), route.length());
      } else {
        table4.remove((int) (route.high() >>> 32), route.length());
      }
    }
    return (double) (System.nanoTime() - start) / routes.list().size();
  }

  double megabytes() {
    return (routes.isIpv6() ? table6.bytes() : table4.bytes()) / 1e6;
  }

  /** Nanoseconds a lookup of these addresses, in bursts. */
  double lookup(long[][] addresses, long nanos) {
    Keys keys = new Keys(addresses, routes.isIpv6());
    long spent = 0;
    long lookups = 0;
    int at = 0;
    while (spent < nanos) {
      load(keys, at);
      long start = System.nanoTime();
      lookupBurst();
      spent += System.nanoTime() - start;
      lookups += BURST;
      sink += nextHops[at & (BURST - 1)];
      at = at + 2 * BURST <= addresses.length ? at + BURST : 0;
    }
    return (double) spent / lookups;
  }

  /**
   * Addresses side by side, as large as the peer's: objects would push the table out of the caches
   * between two bursts.
   */
  private static final class Keys {
    private final int[] four;
    private final long[] high;
    private final long[] low;

    Keys(long[][] addresses, boolean six) {
      four = new int[six ? 0 : addresses.length];
      high = new long[six ? addresses.length : 0];
      low = new long[six ? addresses.length : 0];
      for (int i = 0; i < addresses.length; i++) {
        if (six) {
          high[i] = addresses[i][0];
          low[i] = addresses[i][1];
        } else {
          four[i] = (int) (addresses[i][0] >>> 32);
        }
      }
    }
  }

  private void load(Keys keys, int at) {
    if (routes.isIpv6()) {
      System.arraycopy(keys.high, at, high, 0, BURST);
      System.arraycopy(keys.low, at, low, 0, BURST);
    } else {
      System.arraycopy(keys.four, at, burst4, 0, BURST);
    }
  }

  private void lookupBurst() {
    if (routes.isIpv6()) {
      table6.lookup(high, low, nextHops, BURST);
    } else {
      table4.lookup(burst4, nextHops, BURST);
    }
  }

  /** Nanoseconds a lookup when each waits for the one before. */
  double dependent(long[][] addresses, long nanos) {
    Keys keys = new Keys(addresses, routes.isIpv6());
    long lookups = 0;
    long start = System.nanoTime();
    int at = 0;
    while (System.nanoTime() - start < nanos) {
      for (int i = 0; i < BURST; i++) {
        // The next address is known when this answer is: nothing to do meanwhile. No answer is
        // negative.
        at = (at + 1 + (lookupOne(keys, at) >>> 31)) & (addresses.length - 1);
      }
      lookups += BURST;
    }
    sink += at;
    return (double) (System.nanoTime() - start) / lookups;
  }

  private int lookupOne(Keys keys, int at) {
    return routes.isIpv6()
        ? table6.lookup(keys.high[at], keys.low[at])
        : table4.lookup(keys.four[at]);
  }

  /** Throws when a lookup in bulk and one by one do not agree, or all have the same answer. */
  void verify(long[][] addresses) {
    Keys keys = new Keys(addresses, routes.isIpv6());
    load(keys, 0);
    lookupBurst();
    for (int i = 0; i < BURST; i++) {
      if (nextHops[i] != lookupOne(keys, i)) {
        throw new IllegalStateException("bulk and single lookup differ");
      }
    }
    if (Arrays.stream(nextHops).distinct().count() < 2) {
      throw new IllegalStateException("one answer for all addresses: nothing is looked up");
    }
  }

  @Override
  public void close() {
    if (sink == Long.MIN_VALUE) {
      System.err.println(sink); // so that no lookup is dead code
    }
    table4.close();
    table6.close();
  }
}
