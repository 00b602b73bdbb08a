package io.gatun.ring.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** A worker that runs never reads a freed record, and never goes back to an old one. */
@JCStressTest
@Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the old record, alive")
@Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "replaced in between")
@Outcome(id = "2, 2", expect = ACCEPTABLE, desc = "the new record")
@Outcome(expect = FORBIDDEN, desc = "a freed record was read")
@State
public class QuiescentReader {
  private final ReplacedRecord table = new ReplacedRecord();

  public QuiescentReader() {
    table.reader.online();
  }

  @Actor
  public void writer() {
    table.replace();
    table.qsbr.reclaim();
  }

  @Actor
  public void worker(JJ_Result result) {
    result.r1 = table.read();
    table.reader.quiescent();
    result.r2 = table.read();
    table.reader.quiescent();
  }
}
