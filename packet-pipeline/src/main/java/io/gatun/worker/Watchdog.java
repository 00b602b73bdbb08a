package io.gatun.worker;

import io.gatun.ffm.Libc;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Renews the lease for as long as everybody is alive; {@link #look} belongs to its own thread.
 *
 * <p>Alive means that the heart of every worker, and of the control thread, moved since the last
 * look; a worker that sleeps on purpose counts as alive. Who is stuck or ended stops the renewal,
 * and when the lease runs out the kernel forwards again.
 */
public final class Watchdog implements AutoCloseable {
  /** What is renewed: on an XDP port the lease that the stub compares the clock with. */
  @FunctionalInterface
  public interface Renewal {
    /** Good until {@code until}, in nanoseconds of CLOCK_MONOTONIC. */
    void renew(long until);
  }

  private static final long LONGEST_PERIOD = TimeUnit.MILLISECONDS.toNanos(50);

  /**
   * The shortest lease, also with {@code hold: 0s}: some periods, so that this thread may wake up
   * 50 ms late before a living process loses its traffic. A worker that got stuck right after a
   * look is renewed once more, so traffic stops for the lease and a period: well below 100 ms.
   */
  private static final long SHORTEST_LEASE = TimeUnit.MILLISECONDS.toNanos(60);

  private static final long SHORT_PERIOD = TimeUnit.MILLISECONDS.toNanos(10);

  private final Renewal renewal;
  private final long lease;
  private final long period;
  private final List<WorkerCounters> workers;
  private final LongSupplier control;
  private final long[] lastBeat;
  private long lastControl;
  private final Thread thread;
  private volatile boolean running = true;

  /**
   * A watchdog that is not running yet.
   *
   * @param holdNanos how long after the last sign of life frames are still held back
   * @param control the control thread's heartbeat: a number that changes while it lives
   */
  public Watchdog(
      Renewal renewal, long holdNanos, List<WorkerCounters> workers, LongSupplier control) {
    this.renewal = renewal;
    this.lease = Math.max(holdNanos, SHORTEST_LEASE);
    this.period = holdNanos < SHORTEST_LEASE ? SHORT_PERIOD : LONGEST_PERIOD;
    this.workers = List.copyOf(workers);
    this.control = control;
    this.lastBeat = new long[workers.size()];
    Arrays.fill(lastBeat, -1);
    this.lastControl = control.getAsLong() - 1;
    this.thread = Thread.ofPlatform().name("watchdog").daemon(true).unstarted(this::run);
  }

  /** Starts looking, every 50 ms (every 10 ms when there is hardly any hold). */
  public Watchdog start() {
    thread.start();
    return this;
  }

  private void run() {
    while (running) {
      look(Libc.monotonicNanos());
      LockSupport.parkNanos(period);
    }
  }

  /** One look at time {@code now}; true when the lease was renewed. */
  boolean look(long now) {
    boolean alive = true;
    for (int i = 0; i < lastBeat.length; i++) {
      WorkerCounters worker = workers.get(i);
      boolean asleep = worker.isParked(); // before the beat: who wakes in between has moved
      long beat = worker.heartbeat();
      alive &= asleep || beat != lastBeat[i];
      lastBeat[i] = beat;
    }
    long controlBeat = control.getAsLong();
    alive &= controlBeat != lastControl;
    lastControl = controlBeat;
    if (alive) {
      renewal.renew(now + lease);
    }
    return alive;
  }

  /** Stops renewing; the lease runs out by itself. Returns when no renewal can follow. */
  @Override
  public void close() {
    running = false;
    LockSupport.unpark(thread);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
