package io.gatun.agent.daemon;

import io.gatun.control.ControlThread;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The thread that steps the tables' one writer. An exception in a cycle leaves the state before it
 * in place and is logged; it does not end the thread, because established traffic needs no writer.
 */
final class ControlLoop implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun.control");

  /** Changes have to be live within 100 ms, and the watchdog looks every 20 to 50. */
  private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(10);

  private final ControlThread control;
  private final Thread thread;
  private volatile boolean running = true;

  /** {@code control} may have been stepped before, never afterwards. */
  ControlLoop(ControlThread control) {
    this.control = control;
    this.thread = Thread.ofPlatform().name("control").daemon(true).unstarted(this::run);
  }

  ControlLoop start() {
    thread.start();
    return this;
  }

  private void run() {
    while (running) {
      try {
        control.doWork();
      } catch (RuntimeException e) {
        LOG.log(Level.ERROR, "a control cycle failed; the state before it stays", e);
      }
      LockSupport.parkNanos(PERIOD);
    }
    control.onClose();
  }

  /** Ends after the present cycle. */
  @Override
  public void close() {
    running = false;
    LockSupport.unpark(thread);
    try {
      thread.join(1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
