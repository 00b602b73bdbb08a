package io.gatun.flow;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Who gives way when flows become scarce: half-open flows first, then such whose connection is
 * over, established ones never. And no Service takes more than its share, so that the others have
 * room too. Safe for use by many threads, without locks.
 *
 * <p>Room is made before it is needed, since a flow that is removed can be used again only after a
 * grace period: a thirty-second of all flows is kept spare. The victim is looked for by a hand that
 * goes round all flows; that makes it one of the older ones, for whoever takes a place that the
 * hand has just left stands a whole round before it.
 */
final class FlowPressure {
  /** Of all flows, kept spare. */
  private static final int SPARE = 32;

  /** Of all flows, which a single Service cannot take: the fifth. */
  private static final int OTHERS = 5;

  /** Services are told apart by so many bits of their number; those that are not share. */
  private static final int SERVICES = 1 << 16;

  /** Flows looked at for one victim: microseconds, and few are in vain where one in ten may go. */
  private static final int LOOKS = 64;

  private static final int ANY = -1;
  private static final int NONE = -1;

  private static final VarHandle COUNT = MethodHandles.arrayElementVarHandle(int[].class);
  private static final VarHandle HAND;
  private static final VarHandle EVICTED;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      HAND = lookup.findVarHandle(FlowPressure.class, "hand", int.class);
      EVICTED = lookup.findVarHandle(FlowPressure.class, "evicted", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final FlowPool pool;
  private final int share;
  private final int[] flowsOf = new int[SERVICES];

  @SuppressWarnings("UnusedVariable") // through HAND
  private int hand;

  @SuppressWarnings("UnusedVariable") // through EVICTED
  private long evicted;

  FlowPressure(FlowPool pool, int maxFlows) {
    this.pool = pool;
    share = maxFlows - maxFlows / OTHERS;
  }

  /** One flow more or less of {@code service}. */
  void count(int service, int change) {
    COUNT.getAndAdd(flowsOf, service & SERVICES - 1, change);
  }

  /** Flows of {@code service} at this moment. */
  int flows(int service) {
    return (int) COUNT.getOpaque(flowsOf, service & SERVICES - 1);
  }

  /** Flows that one Service may have. */
  int share() {
    return share;
  }

  /** Flows that gave way so far. */
  long evicted() {
    return (long) EVICTED.getOpaque(this);
  }

  /**
   * Whether a flow of {@code service} may be made. Where one has to give way, it is removed; where
   * none would, only a Service that has its share is refused.
   */
  boolean admits(FlowRemoval removal, int service) {
    if (service != 0 && flows(service) >= share) {
      return evict(removal, service);
    }
    int lacking = lacking();
    if (lacking > 0) {
      evict(removal, ANY);
      if (lacking > pool.capacity() / SPARE / 4) {
        evict(removal, ANY); // to catch up: the hand may have found none for a while
      }
    }
    return true;
  }

  /** How many more flows should be spare. */
  private int lacking() {
    int least = pool.capacity() / SPARE;
    if (pool.spare() < least) {
      pool.collect(); // some may have come back
    }
    return least - pool.spare();
  }

  private boolean evict(FlowRemoval removal, int service) {
    int victim = victim(service);
    boolean evicted = victim != NONE && removal.evict(pool.address(victim));
    if (evicted) {
      EVICTED.getAndAdd(this, 1L);
    }
    return evicted;
  }

  private int victim(int service) {
    int touched = pool.touched();
    int over = NONE;
    for (int look = 0; look < LOOKS && touched != 0; look++) {
      // One by one: whoever comes next goes on right behind the victim.
      int number = Integer.remainderUnsigned((int) HAND.getAndAdd(this, 1), touched);
      if (!pool.isLive(number)) {
        continue;
      }
      long flow = pool.address(number);
      if (service != ANY && FlowLayout.service(flow) != service) {
        continue;
      }
      int state = FlowLayout.state(flow);
      if (FlowTracker.halfOpen(state)) {
        return number;
      }
      over = over == NONE && FlowTracker.over(state) ? number : over;
    }
    return over;
  }
}
