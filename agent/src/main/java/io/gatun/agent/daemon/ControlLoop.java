package io.gatun.agent.daemon;

import io.gatun.control.ControlThread;
import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.agrona.concurrent.Agent;

/**
 * The thread that steps the tables' one writer. An exception in a cycle leaves the state before it
 * in place and is logged; it does not end the thread, because established traffic needs no writer.
 */
final class ControlLoop implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun.control");

  /**
   * Changes have to be live within 100 ms, and the watchdog looks every 50. Most of what an idle
   * node costs is this thread's cycles.
   */
  private static final int PERIOD_MILLIS = 40;

  private static final int RESTLESS_MILLIS = 20;

  /** Where there is hardly any hold it looks every 10. */
  private static final int SHORT_PERIOD_MILLIS = 5;

  private final ControlThread control;
  private final List<Agent> others = new CopyOnWriteArrayList<>();
  private final int kernel;
  private final int wake;
  private final int periodMillis;
  private final Thread thread;
  private volatile boolean running = true;

  /**
   * All may have been stepped before, never afterwards.
   *
   * @param others what follows the tables, in order
   * @param kernel descriptor that is readable when the kernel's tables changed, -1 for none
   * @param wake eventfd that ends the pause between two cycles
   * @param hold how long the lease is good after the last sign of life
   */
  ControlLoop(ControlThread control, List<Agent> others, int kernel, int wake, Duration hold) {
    boolean brief = hold.toMillis() < 4 * PERIOD_MILLIS;
    this.periodMillis = brief ? SHORT_PERIOD_MILLIS : PERIOD_MILLIS;
    this.control = control;
    this.others.addAll(others);
    this.kernel = kernel;
    this.wake = wake;
    this.thread = Thread.ofPlatform().name("control").daemon(true).unstarted(this::run);
  }

  /** From now on {@code agent} is stepped too, after the others. */
  void follow(Agent agent) {
    others.add(agent);
  }

  ControlLoop start() {
    thread.start();
    return this;
  }

  private void run() {
    try (NativeArea area = NativeArea.map("control poll", 3L * Libc.POLLFD_BYTES)) {
      while (running) {
        step(control);
        others.forEach(ControlLoop::step);
        if (!control.isBehind()) {
          pause(area.address());
        }
      }
    }
    others.forEach(Agent::onClose);
    control.onClose();
  }

  /** Until the kernel or a worker has something to tell, or it is time anyway. */
  private void pause(long area) {
    watch(area, kernel);
    watch(area + Libc.POLLFD_BYTES, wake);
    int most = control.isRestless() ? RESTLESS_MILLIS : PERIOD_MILLIS;
    Libc.poll(area, 2, Math.min(most, periodMillis));
    if (Memory.getShort(area + Libc.POLLFD_BYTES + Libc.POLLFD_REVENTS) != 0) {
      Libc.read(wake, area + 2L * Libc.POLLFD_BYTES, Long.BYTES); // back to zero
    }
  }

  /** A negative descriptor is ignored by poll(2). */
  private static void watch(long entry, int descriptor) {
    Memory.putInt(entry, descriptor);
    Memory.putShort(entry + Libc.POLLFD_EVENTS, Libc.POLLIN);
    Memory.putShort(entry + Libc.POLLFD_REVENTS, 0);
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
    Libc.signal(wake);
    try {
      thread.join(1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
