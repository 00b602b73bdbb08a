package io.gatun.fib.lpm;

/**
 * Runs what gives memory back once no reader can still be looking at it. Called by the writer; must
 * run {@code release} on the writer's thread, after every reader has finished the vector it was
 * working on. A quiescent-state reclaimer's {@code retire} is one; {@code Runnable::run} is one
 * where nobody reads.
 */
@FunctionalInterface
public interface Retirement {
  void retire(Runnable release);
}
