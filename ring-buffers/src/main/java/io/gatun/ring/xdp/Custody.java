package io.gatun.ring.xdp;

import io.gatun.ring.frame.FrameDepot;
import java.nio.CharBuffer;

/**
 * Which socket the kernel holds a frame for: one number per frame, 0 for none. This is how a socket
 * that closes knows the frames that died in the kernel's hands.
 *
 * <p>An entry is written by whoever owns the frame at that moment, so plain stores do: a frame
 * changes threads only through rings and locks that order them.
 */
final class Custody {
  private final char[] holder;
  private final long base;
  private final int shift;

  Custody(FrameDepot depot) {
    holder = new char[depot.frames()];
    base = depot.base();
    shift = Integer.numberOfTrailingZeros(depot.frameBytes());
  }

  /** The frame around {@code address} goes to the kernel for {@code socket}. */
  void toKernel(long address, char socket) {
    holder[(int) ((address - base) >>> shift)] = socket;
  }

  /** The frame around {@code address} is back. */
  void back(long address) {
    holder[(int) ((address - base) >>> shift)] = 0;
  }

  /** The number of each frame, to {@link #restore} in another process. */
  CharBuffer snapshot() {
    return CharBuffer.wrap(holder.clone());
  }

  /** Takes over what another process wrote down; frames that nobody holds go to {@code depot}. */
  void restore(CharBuffer holders, FrameDepot depot) {
    for (int i = holder.length; i-- > 0; ) { // lowest address on top
      holder[i] = holders.get(i);
      if (holders.get(i) == 0) {
        depot.give(base + ((long) i << shift));
      }
    }
  }

  /** Frames that the kernel holds for {@code socket}. */
  int count(char socket) {
    int n = 0;
    for (char each : holder) {
      n += each == socket ? 1 : 0;
    }
    return n;
  }

  /**
   * Gives every frame that the kernel held for {@code socket} to {@code depot}; returns how many.
   */
  int release(char socket, FrameDepot depot) {
    int n = 0;
    for (int i = 0; i < holder.length; i++) {
      if (holder[i] == socket) {
        holder[i] = 0;
        depot.give(base + ((long) i << shift));
        n++;
      }
    }
    return n;
  }
}
