package io.gatun.pipeline;

/**
 * Takes a packet's translation back, so that an answer to its sender quotes what the sender sent.
 * Called by one worker; allocates nothing and throws nothing.
 */
@FunctionalInterface
public interface Reversal {
  /** Knows no translation. */
  Reversal NONE = (packets, i) -> false;

  /**
   * Makes packet {@code i}, marked {@link PacketVector#TRANSLATED}, what it was when it came, but
   * for the hops it has lost. False, with nothing changed, when that is not possible.
   */
  boolean undo(PacketVector packets, int i);
}
