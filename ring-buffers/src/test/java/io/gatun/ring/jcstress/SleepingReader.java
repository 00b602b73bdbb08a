package io.gatun.ring.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** A worker that wakes up while a record is replaced is seen by the writer, or sees the new one. */
@JCStressTest
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the old record, alive")
@Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "replaced while asleep again")
@Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "the new record")
@Outcome(expect = FORBIDDEN, desc = "a freed record was read")
@State
public class SleepingReader {
  private final ReplacedRecord table = new ReplacedRecord();

  @Actor
  public void writer() {
    table.replace();
  }

  @Actor
  public void worker(JJ_Result result) {
    table.reader.online();
    result.r1 = table.read();
    table.reader.offline();
    table.reader.online();
    result.r2 = table.read();
    table.reader.offline();
  }
}
