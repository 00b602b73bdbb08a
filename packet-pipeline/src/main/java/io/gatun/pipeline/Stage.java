package io.gatun.pipeline;

/**
 * One step of a packet's way. Looks at every packet of the vector whose verdict is {@link
 * Verdict#CONTINUE}; allocates nothing and throws nothing. Called by one worker: a stage that keeps
 * state belongs to that worker.
 */
@FunctionalInterface
public interface Stage {
  void process(PacketVector packets);
}
