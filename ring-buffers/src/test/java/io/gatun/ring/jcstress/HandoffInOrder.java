package io.gatun.ring.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.gatun.ffm.memory.Memory;
import io.gatun.ring.handoff.SpscRing;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** What one worker hands over arrives whole and in order. */
@JCStressTest
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "looked too early")
@Outcome(id = "0, 101", expect = ACCEPTABLE, desc = "the second look found the first")
@Outcome(id = "101, 0", expect = ACCEPTABLE, desc = "the second came too late")
@Outcome(id = "101, 202", expect = ACCEPTABLE, desc = "both")
@Outcome(expect = FORBIDDEN, desc = "torn, lost or out of order")
@State
public class HandoffInOrder {
  private final SpscRing ring = new SpscRing(Slices.next(), 2, 16);

  @Actor
  public void producer() {
    put(100, 1);
    put(200, 2);
  }

  @Actor
  public void consumer(JJ_Result result) {
    result.r1 = get();
    result.r2 = get();
  }

  private void put(long first, long second) {
    long slot = ring.claim();
    Memory.putLong(slot, first);
    Memory.putLong(slot + 8, second);
    ring.publish();
  }

  private long get() {
    if (ring.poll(1) == 0) {
      return 0;
    }
    long sum = Memory.getLong(ring.slot(0)) + Memory.getLong(ring.slot(0) + 8);
    ring.release(1);
    return sum;
  }
}
