package io.gatun.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.gatun.ffm.memory.NativeArea;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SyscallStubTest {
  private static final int CALLS = 1000;

  @BeforeEach
  void onlyWhereThereIsOne() {
    assumeTrue(System.getProperty("os.arch").equals("amd64"));
    assertNotNull(SyscallStub.link());
  }

  /** pread64(2) and mmap(2) take their fourth and sixth argument seriously. */
  @Test
  void shouldSayWhatTheLibrarySays() {
    try (NativeArea area = NativeArea.map("test", 4096)) {
      long[][] calls = {
        {Syscall.GETTID, 0, 0, 0, 0, 0, 0},
        {Syscall.CLOSE, -1, 0, 0, 0, 0, 0},
        {Syscall.MMAP, 0, 4096, 77, 0, -1, 0},
        {Syscall.MMAP, 0, 4096, Libc.PROT_READ, Libc.MAP_PRIVATE, 0, 1}, // not a page's offset
        {Syscall.SENDTO, -1, area.address(), 1, 0, area.address(), 16},
        {Syscall.SCHED_GETAFFINITY, 0, 128, area.address(), 0, 0, 0},
        {99_999, 0, 0, 0, 0, 0, 0},
      };
      for (long[] call : calls) {
        assertEquals(
            Syscall.byLibrary(call[0], call[1], call[2], call[3], call[4], call[5], call[6]),
            Syscall.call(call[0], call[1], call[2], call[3], call[4], call[5], call[6]),
            "system call " + call[0]);
      }
    }
  }

  /** A worker's first minute: what C2 would do away with is there. */
  @Test
  void shouldAllocateNothingWhereNothingIsCompiled() throws Exception {
    Process java =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xint",
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Interpreted.class.getName()))
            .redirectErrorStream(true)
            .start();
    String said = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    assertEquals(0, java.waitFor(), said);
    assertEquals("0", said, "bytes of " + CALLS + " calls");
  }

  /** Says how many bytes its calls allocated. */
  static final class Interpreted {
    private Interpreted() {}

    public static void main(String[] arguments) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      calls(CALLS); // classes are loaded, handles made for their callers
      threads.getCurrentThreadAllocatedBytes();
      long before = threads.getCurrentThreadAllocatedBytes();
      calls(CALLS);
      System.out.println(threads.getCurrentThreadAllocatedBytes() - before);
    }

    private static void calls(int calls) {
      for (int i = 0; i < calls; i++) {
        Libc.gettid();
        Libc.poll(0, 0, 0);
        Libc.sendtoWake(-1);
      }
    }
  }
}
