package io.gatun.ring.frame;

import io.gatun.ffm.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * The free frames of one worker, last in first out; single-threaded.
 *
 * <p>Holds a few slabs: an empty pool fetches one from the {@link FrameDepot}, a full one brings
 * one there, so that a worker that alternates between taking and giving meets the depot's lock at
 * most once per slab, and frames that one worker takes and another gives do not pile up.
 *
 * <p>Where ports carry whole segments, a pool of super-frames stands behind it, and {@link #give}
 * takes frames of either size.
 */
public final class FramePool implements AutoCloseable {
  /** Frames that move between pool and depot at once: the burst size of a worker's ports. */
  public static final int SLAB = 64;

  /** Two bursts of a vector's size, so that a worker under load seldom meets the depot. */
  private static final int SLABS = 8;

  /** Super-frames are few and large. */
  private static final int SUPER_SLABS = 2;

  private final FrameDepot depot;
  private final long[] free;
  private final @Nullable FramePool superFrames;
  private int top;

  /** A pool that is empty until its first {@link #take}. */
  public FramePool(FrameDepot depot) {
    this(depot, null);
  }

  /** The same, with a pool of super-frames from their own depot behind it; null for none. */
  public FramePool(FrameDepot depot, @Nullable FrameDepot superFrames) {
    this(depot, SLABS, superFrames == null ? null : new FramePool(superFrames, SUPER_SLABS, null));
  }

  private FramePool(FrameDepot depot, int slabs, @Nullable FramePool superFrames) {
    this.depot = depot;
    this.free = new long[slabs * SLAB];
    this.superFrames = superFrames;
  }

  /** The pool of super-frames; null when this worker has none. */
  public @Nullable FramePool superFrames() {
    return superFrames;
  }

  /** Where this pool's frames come from. */
  public FrameDepot depot() {
    return depot;
  }

  /** Address of a free frame, the caller's from now on; 0 when pool and depot are empty. */
  public long take() {
    int n = top;
    if (n == 0) {
      n = depot.takeSlab(free, 0, SLAB);
      if (n == 0) {
        return 0;
      }
    }
    long frame = free[--n];
    top = n;
    if (Memory.CHECKS) {
      depot.markHeld(frame);
    }
    return frame;
  }

  /** Takes up to {@code count} free frames at once, as {@link #take} would; returns how many. */
  public int take(long[] into, int count) {
    int taken = 0;
    while (taken < count) {
      if (top == 0) {
        top = depot.takeSlab(free, 0, SLAB);
        if (top == 0) {
          break;
        }
      }
      int n = Math.min(count - taken, top);
      int from = top - n;
      for (int i = 0; i < n; i++) { // the last one given first
        into[taken + i] = free[from + n - 1 - i];
      }
      top = from;
      taken += n;
    }
    if (Memory.CHECKS) {
      for (int i = 0; i < taken; i++) {
        depot.markHeld(into[i]);
      }
    }
    return taken;
  }

  /** Takes back {@code frame}, the start of a frame of this pool's depots. */
  public void give(long frame) {
    if (superFrames != null && !depot.owns(frame)) {
      superFrames.give(frame);
      return;
    }
    if (Memory.CHECKS) {
      depot.markFree(frame);
    }
    int n = top;
    if (n == free.length) { // the coldest go, the hot ones stay
      depot.giveSlab(free, 0, SLAB);
      n -= SLAB;
      System.arraycopy(free, SLAB, free, 0, n);
    }
    free[n] = frame;
    top = n + 1;
  }

  /** Start of the frame that {@code address} lies in: what {@link #give} wants. */
  public long frameOf(long address) {
    return depot.frameOf(address);
  }

  /** Frames in this pool; {@link #take} succeeds at least so often. */
  public int available() {
    return top;
  }

  /** Gives every frame to the depot; the pool stays usable. */
  @Override
  public void close() {
    depot.giveSlab(free, 0, top);
    top = 0;
    if (superFrames != null) {
      superFrames.close();
    }
  }
}
