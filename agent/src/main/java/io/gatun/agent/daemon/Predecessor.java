package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.UsageException;
import io.gatun.ffm.Libc;
import java.io.IOException;
import java.nio.CharBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The daemon that has this run directory when another one starts: refused, or taken over from. It
 * hands its sockets over when it is asked to, at the last moment before we go on with them, and
 * then ends; one that hangs is killed.
 */
final class Predecessor {
  private static final System.Logger LOG = System.getLogger("gatun");
  private static final long PATIENCE_MILLIS = 3000;
  private static final Duration PATIENCE = Duration.ofMillis(PATIENCE_MILLIS);
  private static final long ENDING_MILLIS = 2000;

  private final RunDirectory run;
  private final InstanceLock lock;
  private final boolean lives;
  private @Nullable Inheritance inheritance;

  private Predecessor(RunDirectory run, InstanceLock lock, boolean lives) {
    this.run = run;
    this.lock = lock;
    this.lives = lives;
  }

  /** The one that lives, if there is one and it is to be replaced. */
  static Predecessor of(RunDirectory run, InstanceLock lock, boolean replace) throws IOException {
    boolean lives = !lock.take();
    if (lives && !replace) {
      throw new UsageException(
          "%s: process %d runs here; `gatun run --replace` takes over from it, `gatun stop` ends it"
              .formatted(run.path(), lock.owner()));
    }
    return new Predecessor(run, lock, lives);
  }

  /** Whether there was one when we came. */
  boolean lives() {
    return lives;
  }

  /** Asks what it has; null when there is nobody, or nothing to be had. Once, before the end. */
  @Nullable Inheritance inheritance() {
    if (lives) {
      try {
        inheritance = Inheritance.ask(run, PATIENCE);
      } catch (IOException e) {
        LOG.log(
            System.Logger.Level.WARNING, "the running daemon offers nothing: {0}", e.getMessage());
      }
    }
    return inheritance;
  }

  /**
   * Has it stop: returns when what was claimed is handed over and all else free. Frames that come
   * from then on wait for us.
   */
  Succession release() throws IOException, InterruptedException {
    if (lock.take()) {
      return Succession.NONE;
    }
    Inheritance left = inheritance;
    long asked = Libc.monotonicNanos();
    CharBuffer custodies = null;
    if (left == null) {
      kill("it does not answer");
    } else {
      try {
        custodies = left.take();
      } catch (IOException e) {
        kill("it does not hand over (" + e.getMessage() + ")");
      }
    }
    long free = Libc.monotonicNanos();
    long stopped = left == null || custodies == null ? asked : left.stopped();
    return new Succession(true, asked, stopped, free, custodies);
  }

  /**
   * How it went.
   *
   * @param happened false when nobody lived any more
   * @param asked when the other one was asked, in nanoseconds of CLOCK_MONOTONIC
   * @param stopped when its workers were told to stop
   * @param free when they had stopped, and we knew
   * @param custodies see {@link Inheritance#take}; null when nothing was handed over
   */
  record Succession(
      boolean happened, long asked, long stopped, long free, @Nullable CharBuffer custodies) {
    static final Succession NONE = new Succession(false, 0, 0, 0, null);
  }

  /** Returns when it has ended, after which socket and settings are ours. */
  void awaitEnd() throws IOException, InterruptedException {
    if (!lock.take(PATIENCE_MILLIS)) {
      kill("it does not end");
    }
  }

  /** Ends it, and the launcher that would start it again, when it did not do so by itself. */
  void end() throws IOException, InterruptedException {
    if (lock.take(ENDING_MILLIS)) {
      return;
    }
    ProcessHandle.of(lock.owner())
        .flatMap(ProcessHandle::parent)
        .filter(parent -> parent.info().commandLine().orElse("").contains("gatun run "))
        .ifPresent(ProcessHandle::destroy);
    kill("it does not stop");
  }

  private void kill(String why) throws IOException, InterruptedException {
    long pid = lock.owner();
    LOG.log(System.Logger.Level.WARNING, "process {0} is killed: {1}", Long.toString(pid), why);
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    if (!lock.take(PATIENCE_MILLIS)) {
      throw new IOException(run.path() + ": process " + pid + " cannot be ended");
    }
  }
}
