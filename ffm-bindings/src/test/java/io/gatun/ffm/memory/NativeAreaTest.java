package io.gatun.ffm.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeAreaTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 64, 4096, 4097, 2 << 20, (2 << 20) + 1, 6 << 20})
  void shouldLieZeroedBetweenTwoGuardPages(long bytes) throws IOException {
    try (NativeArea area = NativeArea.map("test", bytes)) {
      long first = area.address();
      long last = first + bytes - 1;
      assertEquals(0, Memory.getByte(first));
      assertEquals(0, Memory.getByte(last));
      Memory.putByte(last, 7);
      assertEquals(7, Memory.getByte(last));
      assertEquals("rw", permissions(first));
      assertEquals("rw", permissions(last));
      assertEquals("--", permissions(first - 1));
      long mapped =
          bytes >= 2 << 20 ? (bytes + (2 << 20) - 1) & -(2L << 20) : (bytes + 4095) & -4096L;
      assertEquals("--", permissions(first + mapped));
      if (bytes >= 2 << 20) {
        assertEquals(0, first % (2 << 20));
      }
    }
  }

  @Test
  void shouldRefuseAccessBeyondTheBytesAskedFor() {
    try (NativeArea area = NativeArea.map("test", 60)) {
      assertThrows(IndexOutOfBoundsException.class, () -> Memory.getByte(area.address() + 60));
      assertThrows(IndexOutOfBoundsException.class, () -> Memory.getByte(area.address() - 1));
    }
  }

  @Test
  void shouldLeaveNothingMappedWhenClosed() throws IOException {
    NativeArea area = NativeArea.map("test", 4096);
    area.close();
    area.close();
    assertNotEquals("rw", permissions(area.address()));
    assertThrows(IndexOutOfBoundsException.class, () -> Memory.getByte(area.address()));
  }

  @Test
  void shouldKeepAFilesBytesFromOneMappingToTheNext(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("table");
    try (NativeArea area = NativeArea.mapFile(file, 10_000)) {
      Memory.putLong(area.address() + 9_992, 0x1122334455667788L);
    }
    assertEquals(10_000, Files.size(file));
    try (NativeArea area = NativeArea.mapFile(file, 10_000)) {
      assertEquals(0x1122334455667788L, Memory.getLong(area.address() + 9_992));
    }
  }

  @Test
  void shouldSayWhatToDoWhenAFileCannotBeMade() {
    NativeException thrown =
        assertThrows(
            NativeException.class, () -> NativeArea.mapFile(Path.of("/nonexistent/file"), 4096));
    assertEquals(
        "open /nonexistent/file: ENOENT; the directory must exist and be writable",
        thrown.getMessage());
  }

  @Test
  void shouldThrowWhenThereIsNotThatMuchMemory() {
    NativeException thrown =
        assertThrows(NativeException.class, () -> NativeArea.map("huge", 1L << 50));
    assertEquals(Errno.ENOMEM, thrown.errno());
  }

  /**
   * Where there are too few huge pages an area is made in a second attempt. What another thread has
   * mapped since the first is not ours: malloc's next heap once was destroyed, and the VM with it.
   */
  @Test
  void shouldLeaveAloneWhatOthersMapMeanwhile() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    try (ExecutorService others = Executors.newSingleThreadExecutor()) {
      Future<Integer> destroyed = others.submit(() -> mapAndLookAgain(stop));
      for (int round = 0; round < 500; round++) {
        NativeArea.map("test", 6 << 20).close();
      }
      stop.set(true);
      assertEquals(0, destroyed.get());
    }
  }

  /** Maps memory, writes and reads it again, until told to stop; returns how often it was gone. */
  private static int mapAndLookAgain(AtomicBoolean stop) {
    int bytes = 1 << 20;
    int destroyed = 0;
    while (!stop.get()) {
      long address =
          Libc.mmap(0, bytes, NativeArea.READ_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
      LiveAreas.add(address, bytes);
      Memory.putLong(address, 42);
      Thread.onSpinWait();
      destroyed += Memory.getLong(address) == 42 ? 0 : 1;
      LiveAreas.remove(address);
      Libc.munmap(address, bytes);
    }
    return destroyed;
  }

  private static String permissions(long address) throws IOException {
    List<String> maps = Files.readAllLines(Path.of("/proc/self/maps"));
    for (String line : maps) {
      String[] range = line.substring(0, line.indexOf(' ')).split("-", 2);
      long from = Long.parseUnsignedLong(range[0], 16);
      long to = Long.parseUnsignedLong(range[1], 16);
      if (address >= from && Long.compareUnsigned(address, to) < 0) {
        return line.substring(line.indexOf(' ') + 1, line.indexOf(' ') + 3);
      }
    }
    return "none";
  }
}
