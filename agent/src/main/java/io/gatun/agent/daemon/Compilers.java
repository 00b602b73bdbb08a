package io.gatun.agent.daemon;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Whether the JVM has compiled what it wanted to: its compilers' threads, all of which sleep then.
 * Time alone does not say it, for they may wait for a processor. For one thread.
 */
final class Compilers {
  private static final Path TASKS = Path.of("/proc/self/task");

  /** Methods become worth compiling one after the other. */
  private static final long QUIET = TimeUnit.MILLISECONDS.toNanos(200);

  private static final long LOOK_EVERY = TimeUnit.MILLISECONDS.toNanos(10);

  private long looked;
  private long busy = System.nanoTime();

  /** True once they have slept for a while. Asked in a loop it looks now and then. */
  boolean areIdle() {
    long now = System.nanoTime();
    if (now - looked < LOOK_EVERY) {
      return false;
    }
    looked = now;
    if (isOneAwake()) {
      busy = now;
    }
    return now - busy > QUIET;
  }

  /** Names are cut to 15 letters: "C2 CompilerThre". */
  private static boolean isOneAwake() {
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(TASKS)) {
      for (Path task : tasks) {
        // proc_pid_stat(5): TID (NAME) STATE …
        String stat = Files.readString(task.resolve("stat"));
        int name = stat.indexOf('(') + 1;
        boolean compiler = stat.startsWith("C1 Comp", name) || stat.startsWith("C2 Comp", name);
        if (compiler && stat.charAt(stat.lastIndexOf(')') + 2) != 'S') {
          return true;
        }
      }
    } catch (IOException e) {
      return true; // one that has just ended
    }
    return false;
  }
}
