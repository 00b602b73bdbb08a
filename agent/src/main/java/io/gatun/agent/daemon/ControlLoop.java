package io.gatun.agent.daemon;

import io.gatun.control.ControlThread;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.Agent;

/**
 * The thread that steps the tables' one writer. An exception in a cycle leaves the state before it
 * in place and is logged; it does not end the thread, because established traffic needs no writer.
 */
final class ControlLoop implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun.control");

  /** Changes have to be live within 100 ms, and the watchdog looks every 20 to 50. */
  private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(10);

  private final ControlThread control;
  private final List<Agent> others;
  private final Thread thread;
  private volatile boolean running = true;

  /**
   * All may have been stepped before, never afterwards.
   *
   * @param others what follows the tables, in order
   */
  ControlLoop(ControlThread control, List<Agent> others) {
    this.control = control;
    this.others = List.copyOf(others);
    this.thread = Thread.ofPlatform().name("control").daemon(true).unstarted(this::run);
  }

  ControlLoop start() {
    thread.start();
    return this;
  }

  private void run() {
    while (running) {
      step(control);
      others.forEach(ControlLoop::step);
      LockSupport.parkNanos(PERIOD);
    }
    others.forEach(Agent::onClose);
    control.onClose();
  }

  private static void step(Agent agent) {
    try {
      agent.doWork();
    } catch (Exception e) {
      LOG.log(Level.ERROR, agent.roleName() + ": a cycle failed; the state before it stays", e);
    }
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
