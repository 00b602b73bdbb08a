package io.gatun.agent.daemon;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** How readily the threads of this process give way to others': setpriority(2). */
final class Niceness {
  private static final Path SELF = Path.of("/proc/self");
  private static final int CAP_SYS_NICE = 23;

  private Niceness() {}

  /** Whether a process that has given way may ask for its part again. */
  static boolean mayReturn() {
    try {
      List<String> status = Files.readAllLines(SELF.resolve("status"));
      return status.stream()
          .filter(line -> line.startsWith("CapEff:"))
          .map(line -> Long.parseUnsignedLong(line.substring("CapEff:".length()).strip(), 16))
          .anyMatch(set -> (set >> CAP_SYS_NICE & 1) != 0);
    } catch (IOException | NumberFormatException e) {
      return false;
    }
  }

  /**
   * Sets that of all threads, and so of those that they start.
   *
   * @param nice −20 to 19
   * @return whether the kernel took it
   */
  static boolean set(int nice) {
    boolean taken = true;
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(SELF.resolve("task"))) {
      for (Path task : tasks) {
        int outcome = Libc.schedule(Integer.parseInt(task.getFileName().toString()), nice, 0);
        taken &= outcome >= 0 || outcome == -Errno.ESRCH; // it has just ended
      }
    } catch (IOException e) {
      return false;
    }
    return taken;
  }
}
