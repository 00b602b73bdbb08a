package io.gatun.ring.frame;

import io.gatun.ffm.memory.Memory;
import java.util.Arrays;

/**
 * All free frames of one native area that no worker's {@link FramePool} holds; shared by all
 * threads.
 *
 * <p>Workers come here once per slab, so a plain lock costs nothing that can be measured: one
 * uncontended lock per 64 frames.
 */
public final class FrameDepot {
  /** Bytes of an ordinary frame; one of the two sizes that AF_XDP accepts (the other is 4096). */
  public static final int CHUNK = 2048;

  /**
   * Bytes of a super-frame: the largest Ethernet packet of an IP datagram (65,535 + 14 + 8 for two
   * VLAN tags) and 512 in front of it for encapsulation and metadata, in whole pages.
   */
  public static final int SUPER_FRAME = 68 * 1024;

  private final long base;
  private final long end;
  private final int frameBytes;
  private final int frames;
  private final long mask;
  private final long[] free;
  private int top;

  /** With checks on: 1 for a frame that somebody holds. */
  private final byte[] held;

  /**
   * Divides {@code frames × frameBytes} bytes from {@code base} into frames, all of them free.
   *
   * @param base page-aligned address; the memory stays the caller's and must outlive the depot
   * @param frameBytes bytes of one frame; a power of two makes {@link #frameOf} one instruction
   */
  public FrameDepot(long base, int frameBytes, int frames) {
    this(base, frameBytes, frames, true);
  }

  /** The same with every frame in somebody's hands, who may {@link #give} it. */
  public static FrameDepot allHeld(long base, int frameBytes, int frames) {
    return new FrameDepot(base, frameBytes, frames, false);
  }

  private FrameDepot(long base, int frameBytes, int frames, boolean allFree) {
    if (frameBytes <= 0 || frames <= 0) {
      throw new IllegalArgumentException(
          "%d frames of %d bytes: both must be positive".formatted(frames, frameBytes));
    }
    boolean maskable = Integer.bitCount(frameBytes) == 1 && base % frameBytes == 0;
    this.base = base;
    this.end = base + (long) frames * frameBytes;
    this.frameBytes = frameBytes;
    this.frames = frames;
    this.mask = maskable ? -frameBytes : 0;
    this.free = new long[frames];
    this.held = new byte[Memory.CHECKS ? frames : 0];
    if (allFree) {
      for (int i = frames; i-- > 0; ) { // lowest address on top
        free[top++] = base + (long) i * frameBytes;
      }
    } else {
      Arrays.fill(held, (byte) 1);
    }
  }

  /** Bytes of one frame. */
  public int frameBytes() {
    return frameBytes;
  }

  /** How many frames there are, free or not. */
  public int frames() {
    return frames;
  }

  /** Address of the first frame. */
  public long base() {
    return base;
  }

  /** Start of the frame that {@code address} lies in. */
  public long frameOf(long address) {
    return mask != 0 ? address & mask : base + (long) indexOf(address) * frameBytes;
  }

  /** Number of the frame that {@code address} lies in, from 0. */
  public int indexOf(long address) {
    return (int) ((address - base) / frameBytes);
  }

  /** Whether {@code address} lies in one of these frames. */
  public boolean owns(long address) {
    return address >= base && address < end;
  }

  /** Frames that lie here now, outside of every worker's pool. */
  public synchronized int available() {
    return top;
  }

  /** Moves up to {@code limit} frames to {@code into[at…]}; returns how many. */
  synchronized int takeSlab(long[] into, int at, int limit) {
    int n = Math.min(limit, top);
    top -= n;
    System.arraycopy(free, top, into, at, n);
    return n;
  }

  /** Takes {@code n} frames back from {@code from[at…]}. */
  synchronized void giveSlab(long[] from, int at, int n) {
    System.arraycopy(from, at, free, top, n);
    top += n;
  }

  /**
   * Takes one frame back from whoever holds it: for the control side, say when a socket closes; a
   * worker gives to its pool.
   */
  public void give(long frame) {
    if (Memory.CHECKS) {
      markFree(frame);
    }
    synchronized (this) {
      free[top++] = frame;
    }
  }

  // Plain stores: a frame changes hands between threads only by rings and locks that order them.
  void markHeld(long frame) {
    held[indexOf(frame)] = 1;
  }

  void markFree(long frame) {
    if (!owns(frame) || frameOf(frame) != frame) {
      throw new IllegalArgumentException(
          "0x%x is not the start of a frame of ours".formatted(frame));
    }
    int i = indexOf(frame);
    if (held[i] == 0) {
      throw new IllegalStateException("frame 0x%x was given back twice".formatted(frame));
    }
    held[i] = 0;
  }
}
