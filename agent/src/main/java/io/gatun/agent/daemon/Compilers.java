package io.gatun.agent.daemon;

import io.gatun.ffm.Task;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * Whether the JVM has compiled what it wanted to: its compilers' threads, all of which sleep then.
 * Time alone does not say it, for they may wait for a processor. For one thread.
 */
final class Compilers {
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

  private static boolean isOneAwake() {
    try {
      return Task.all().stream().anyMatch(task -> isCompiler(task) && task.state() != 'S');
    } catch (IOException e) {
      return true; // nobody knows
    }
  }

  private static boolean isCompiler(Task task) {
    String name = task.name();
    return name.startsWith("C1 Comp") || name.startsWith("C2 Comp");
  }
}
