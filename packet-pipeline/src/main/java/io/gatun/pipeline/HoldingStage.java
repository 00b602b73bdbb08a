package io.gatun.pipeline;

/** A stage that keeps packets for a while and appends them to a later vector. */
public interface HoldingStage extends Stage {
  /** Whether something may go on now: the stages are then run even if nothing arrived. */
  boolean due();
}
