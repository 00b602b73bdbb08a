package io.gatun.ring.xdp;

import io.gatun.ffm.memory.Memory;
import io.gatun.ring.frame.FramePool;

/** Empty frames for the kernel to receive into; owned by the socket's worker. */
public final class FillRing extends ProducerRing {
  private final long base;
  private final Custody custody;
  private final char socket;

  FillRing(RingMemory ring, long base, Custody custody, char socket) {
    super(ring);
    this.base = base;
    this.custody = custody;
    this.socket = socket;
  }

  /** Posts up to {@code limit} frames of {@code pool}; returns how many. */
  public int fill(FramePool pool, int limit) {
    int room = room(limit);
    int at = next;
    int end = at + room;
    while (at != end) {
      long frame = pool.take();
      if (frame == 0) {
        break;
      }
      custody.toKernel(frame, socket);
      Memory.putLong(entries + (long) (at++ & mask) * Long.BYTES, frame - base);
    }
    int posted = at - next;
    if (posted != 0) {
      next = at;
      submit();
    }
    return posted;
  }
}
