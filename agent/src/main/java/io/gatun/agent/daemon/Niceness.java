package io.gatun.agent.daemon;

import io.gatun.ffm.Errno;
import io.gatun.ffm.Libc;
import io.gatun.ffm.Task;
import java.io.IOException;

/**
 * A process that nobody waits for yet, a standby or the successor of a daemon that lives, is
 * started by the launcher so that it gives way to everybody (setpriority(2), nice 19), where it may
 * come back from there.
 */
final class Niceness {
  /** What the launcher says it with. */
  private static final String GIVES_WAY = "GATUN_GIVES_WAY";

  private Niceness() {}

  /** From now on somebody waits: every thread, and those that they start, as usual again. */
  static void comeBack() {
    if (System.getenv(GIVES_WAY) == null) {
      return;
    }
    try {
      for (Task task : Task.all()) {
        int outcome = Libc.schedule(task.tid(), 0, 0);
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
