package io.gatun.pipeline;

/**
 * What becomes of a packet. A stage looks only at packets whose verdict is {@link #CONTINUE} and
 * either leaves it or ends the packet's way with one of the others. Ints, because they live in an
 * array of the {@link PacketVector}.
 */
public final class Verdict {
  /** Still under way: the next stage looks at it. */
  public static final int CONTINUE = 0;

  /** To be sent on {@code outPort}. */
  public static final int SEND = 1;

  /** For this node's own stack: to the host's port. */
  public static final int HOST = 2;

  /** The frame now holds our own answer (ICMP error, reset), to be routed to {@code outPort}. */
  public static final int ANSWER = 3;

  /** Dropped for {@code dropReason}. */
  public static final int DROP = 4;

  /** Its payload travels on in another packet of the vector; the frame is free. */
  public static final int JOINED = 5;

  /** A stage keeps the frame for a moment and appends it to a later vector. */
  public static final int HELD = 6;

  private Verdict() {}
}
