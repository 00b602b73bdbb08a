package io.gatun.ring.jcstress;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Native memory for jcstress states, which come by the million: zeroed slices of one area, used in
 * turn. There are more of them than jcstress keeps states at a time (256 × 40).
 */
final class Slices {
  static final int BYTES = 512;

  private static final int COUNT = 1 << 16;
  private static final NativeArea AREA = NativeArea.map("jcstress", (long) COUNT * BYTES);
  private static final AtomicInteger NEXT = new AtomicInteger();

  private Slices() {}

  static long next() {
    long slice = AREA.address() + (long) (NEXT.getAndIncrement() & COUNT - 1) * BYTES;
    Memory.zero(slice, BYTES);
    return slice;
  }
}
