package io.gatun.ring.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.gatun.ring.handoff.SpscRing;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** A slot is not written again before it has been read: one slot, full from the start. */
@JCStressTest
@Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the second found no room in time")
@Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "the slot was used twice")
@Outcome(expect = FORBIDDEN, desc = "overwritten before it was read, or read twice")
@State
public class HandoffSlotReuse {
  private final SpscRing ring = new SpscRing(Slices.next(), 1, 8);

  public HandoffSlotReuse() {
    ring.offer(1);
  }

  @Actor
  public void producer() {
    ring.offer(2);
  }

  @Actor
  public void consumer(JJ_Result result) {
    result.r1 = ring.take(0);
    result.r2 = ring.take(0);
  }
}
