package io.gatun.agent.daemon;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.UsageException;
import io.gatun.agent.admin.AdminClient;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The daemon that has this run directory when another one starts: refused, or taken over from. It
 * lets go of its sockets when it is asked to, at the last moment before they are opened anew, and
 * then ends; one that hangs is killed.
 */
final class Predecessor {
  private static final System.Logger LOG = System.getLogger("gatun");
  private static final long PATIENCE_MILLIS = 3000;
  private static final long ENDING_MILLIS = 2000;

  private final RunDirectory run;
  private final InstanceLock lock;
  private final boolean lives;
  private final AtomicLong asked = new AtomicLong();

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

  /** Returns when the sockets are free; frames are held from then on. False: there was nobody. */
  boolean release() throws IOException, InterruptedException {
    if (lock.take()) {
      return false;
    }
    Drivers.warmUp();
    CompletableFuture<Void> answer = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            AdminClient.ask(run.socket(), "status"); // what is slow the first time, before
            asked.set(System.nanoTime());
            AdminClient.ask(run.socket(), "handover");
            answer.complete(null);
          } catch (IOException | RuntimeException e) {
            answer.completeExceptionally(e);
          }
        });
    try {
      answer.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      kill("it does not hand over (" + e + ")");
    }
    return true;
  }

  /** When it was asked to let go, by {@link System#nanoTime}. */
  long asked() {
    return asked.get();
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
