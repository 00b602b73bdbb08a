package io.gatun.ring.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.gatun.ffm.memory.Memory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** A table's record is published by one release store of its address: seen whole or not at all. */
@JCStressTest
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "not yet there")
@Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "whole")
@Outcome(expect = FORBIDDEN, desc = "a record that is not whole")
@State
public class Published {
  private final long root = Slices.next();
  private final long record = root + 128;

  @Actor
  public void writer() {
    Memory.putLong(record, 1);
    Memory.putLong(record + 64, 2);
    Memory.putLongRelease(root, record);
  }

  @Actor
  public void reader(JJ_Result result) {
    long seen = Memory.getLongAcquire(root);
    if (seen != 0) {
      result.r1 = Memory.getLong(seen);
      result.r2 = Memory.getLong(seen + 64);
    }
  }
}
