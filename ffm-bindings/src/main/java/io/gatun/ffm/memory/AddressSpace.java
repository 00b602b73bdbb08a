package io.gatun.ffm.memory;

import java.lang.foreign.MemorySegment;

/** The one restricted reinterpretation that {@link Memory} stands on. */
final class AddressSpace {
  private AddressSpace() {}

  static MemorySegment everything() {
    return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  }
}
