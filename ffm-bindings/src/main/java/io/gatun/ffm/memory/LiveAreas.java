package io.gatun.ffm.memory;

import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What may be accessed: every area of native memory we own, by address. Consulted only with {@code
 * -Dgatun.memory.checks=true}. A test that wants reads beyond a packet's length to fail gives the
 * packet an area of exactly its length. Safe for use by many threads.
 */
public final class LiveAreas {
  private static final ConcurrentSkipListMap<Long, Long> AREAS = new ConcurrentSkipListMap<>();
  private static final ThreadLocal<long[]> LAST = ThreadLocal.withInitial(() -> new long[3]);
  private static volatile int generation;

  private LiveAreas() {}

  /** Makes {@code bytes} bytes from {@code address} accessible. */
  public static synchronized void add(long address, long bytes) {
    AREAS.put(address, address + bytes);
    generation++;
  }

  /** Takes the area that starts at {@code address} away; unknown areas are ignored. */
  public static synchronized void remove(long address) {
    AREAS.remove(address);
    generation++;
  }

  static void check(long address, long bytes) {
    long[] last = LAST.get();
    if (last[2] == generation && address >= last[0] && address + bytes <= last[1]) {
      return;
    }
    Map.Entry<Long, Long> area = AREAS.floorEntry(address);
    if (area == null || address + bytes > area.getValue()) {
      throw new IndexOutOfBoundsException(
          "access to %d bytes at 0x%x, outside every live area".formatted(bytes, address));
    }
    last[0] = area.getKey();
    last[1] = area.getValue();
    last[2] = generation;
  }
}
