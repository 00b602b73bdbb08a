package io.gatun.agent.daemon;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A process that nobody waits for yet, a standby or the successor of a daemon that lives, is
 * started by the launcher so that it gives way to everybody (setpriority(2), nice 19), where it may
 * come back from there.
 */
final class Niceness {
  private static final Path TASKS = Path.of("/proc/self/task");

  /** What the launcher says it with. */
  private static final String GIVES_WAY = "GATUN_GIVES_WAY";

  private Niceness() {}

  /** From now on somebody waits: every thread, and those that they start, as usual again. */
  static void comeBack() {
    if (System.getenv(GIVES_WAY) == null) {
      return;
    }
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(TASKS)) {
      for (Path task : tasks) {
        int outcome = Libc.schedule(Integer.parseInt(task.getFileName().toString()), 0, 0);
        if (outcome < 0 && outcome != -Errno.ESRCH) { // it has just ended
          throw new IOException(Errno.name(-outcome));
        }
      }
    } catch (IOException e) {
      System.getLogger("gatun")
          .log(System.Logger.Level.WARNING, "stays at nice 19: {0}", e.getMessage());
    }
  }
}
