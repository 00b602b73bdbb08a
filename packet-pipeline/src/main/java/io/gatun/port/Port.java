package io.gatun.port;

import io.gatun.pipeline.PacketVector;

/**
 * Where frames come from and go to. Owned by one worker: no method is safe for a second thread.
 *
 * <p>Frames are passed by address and belong to whoever holds them: {@code rx} hands them to the
 * vector, {@code tx} takes those it accepts, and the worker gives every other one back to its pool.
 */
public interface Port extends AutoCloseable {
  /** The number by which vectors and adjacencies name this port. */
  int number();

  /** The interface's name, as operators know it. */
  String name();

  /**
   * Appends received frames to {@code packets}, at most {@code limit} and at most as many as it has
   * room for; returns how many.
   */
  int rx(PacketVector packets, int limit);

  /**
   * Sends packet {@code index} of {@code packets}, whose checksum and segment metadata say what is
   * left to do. False when it cannot: the frame is still the caller's, and {@code
   * packets.dropReason[index]} says why ({@link io.gatun.pipeline.DropReason#TX_RING_FULL} is worth
   * another try after {@link #flush} and {@link #reclaim}). Transmission may be deferred to {@link
   * #flush}.
   */
  boolean tx(PacketVector packets, int index);

  /** Tells the driver about everything that {@link #tx} queued: one system call a burst. */
  void flush();

  /** Takes back sent frames into the pool, returns how many, and refills the receive side. */
  int reclaim();

  /** A file descriptor to poll(2) for arrival while the worker sleeps, -1 for none. */
  default int pollDescriptor() {
    return -1;
  }

  /** Whether packets with a {@code segmentSize} can be sent as they are. */
  default boolean carriesSuperFrames() {
    return false;
  }

  /** False once the interface has gone or was closed: nothing will come from it or go to it. */
  default boolean up() {
    return true;
  }

  @Override
  void close();
}
