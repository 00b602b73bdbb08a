package io.gatun.ffm.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PrefetchTest {
  private static final int LINES = 256;

  @Test
  void shouldLeaveEverythingAsItIs() {
    try (NativeArea area = NativeArea.map("lines", LINES * 64L)) {
      long[] addresses = new long[LINES];
      for (int i = 0; i < LINES; i++) {
        addresses[i] = area.address() + 64L * i;
        Memory.putLong(addresses[i], i);
      }
      long[] before = addresses.clone();
      MemorySegment segment = MemorySegment.ofArray(addresses);
      for (int round = 0; round < 20_000; round++) { // interpreted, then compiled
        Prefetch.lines(segment, 0, LINES);
        Prefetch.lines(segment, round % LINES, LINES);
        Prefetch.load(segment, 0, LINES);
      }
      assertArrayEquals(before, addresses);
      for (int i = 0; i < LINES; i++) {
        assertEquals(i, Memory.getLong(addresses[i]));
      }
    }
  }

  /** What lies outside of the range would end the process if it were read. */
  @Test
  void shouldAskForTheRangeAlone() {
    try (NativeArea area = NativeArea.map("line", 64)) {
      long[] addresses = new long[8];
      Arrays.fill(addresses, 1);
      addresses[3] = area.address();
      MemorySegment segment = MemorySegment.ofArray(addresses);
      Prefetch.lines(segment, 3, 4);
      Prefetch.lines(segment, 5, 5);
      Prefetch.lines(segment, 6, 5);
      Prefetch.load(segment, 3, 4);
      Prefetch.load(segment, 5, 5);
    }
  }

  @Test
  void shouldHaveTheInstructionWhereThereIsOne() {
    assertEquals(System.getProperty("os.arch").equals("amd64"), Prefetch.isAvailable());
  }
}
