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
    long spent = 0;
    long lookups = 0;
    int at = 0;
    while (spent < nanos) {
      load(addresses, at);
      long start = System.nanoTime();
      lookupBurst();
      spent += System.nanoTime() - start;
      lookups += BURST;
      sink += nextHops[at & (BURST - 1)];
      at = at + 2 * BURST <= addresses.length ? at + BURST : 0;
    }
    return (double) spent / lookups;
  }

  private void load(long[][] addresses, int at) {
    for (int i = 0; i < BURST; i++) {
      long[] address = addresses[at + i];
      burst4[i] = (int) (address[0] >>> 32);
      high[i] = address[0];
      low[i] = address[1];
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
    long[] keys = new long[2 * addresses.length]; // side by side, so that it is not they that cost
    for (int i = 0; i < addresses.length; i++) {
      keys[2 * i] = addresses[i][0];
      keys[2 * i + 1] = addresses[i][1];
    }
    long lookups = 0;
    long start = System.nanoTime();
    int at = 0;
    while (System.nanoTime() - start < nanos) {
      for (int i = 0; i < BURST; i++) {
        // The next address is known when this answer is: nothing to do meanwhile. No answer is
        // negative.
        at = (at + 2 + 2 * (lookupOne(keys[at], keys[at + 1]) >>> 31)) & (keys.length - 1);
      }
      lookups += BURST;
    }
    sink += at;
    return (double) (System.nanoTime() - start) / lookups;
  }

  private int lookupOne(long addressHigh, long addressLow) {
    return routes.isIpv6()
        ? table6.lookup(addressHigh, addressLow)
        : table4.lookup((int) (addressHigh >>> 32));
  }

  /** Throws when a lookup in bulk and one by one do not agree, or all have the same answer. */
  void verify(long[][] addresses) {
    load(addresses, 0);
    lookupBurst();
    for (int i = 0; i < BURST; i++) {
      if (nextHops[i] != lookupOne(addresses[i][0], addresses[i][1])) {
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
