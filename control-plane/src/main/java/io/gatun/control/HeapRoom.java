package io.gatun.control;

import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Keeps work that can wait from filling the Java heap faster than the collector empties it. For any
 * thread.
 *
 * <p>A whole cluster read on a core that others use, too, fills a gigabyte within a second; the
 * collector, whose threads give way to everybody, then takes several, and every thread that
 * allocates stands still meanwhile: the control thread, and with it the lease. So who reads, and
 * who works out what was read, asks here. When the heap is nearly full, a collection begins at
 * once, its threads take their turn like all others until it ends, and who asked waits.
 */
public final class HeapRoom {
  /** Of the heap, in hundredths. What is above is for those who cannot wait. */
  private static final int NEARLY_FULL = 70;

  /** When a collection did not help, what lives needs the heap: it is asked no sooner again. */
  private static final long PAUSE = TimeUnit.SECONDS.toNanos(10);

  private static final long LOOK = TimeUnit.MILLISECONDS.toNanos(5);

  private final LongSupplier used;
  private final long limit;
  private final Runnable collect;
  private final Consumer<Boolean> hurry;
  private final Executor elsewhere;
  private final AtomicBoolean collecting = new AtomicBoolean();
  private volatile boolean helpless;
  private volatile long asked;

  /**
   * Of this process.
   *
   * @param hurry told true when the collector's threads have to get on, false when that is over
   */
  public static HeapRoom ofThisProcess(Consumer<Boolean> hurry) {
    Runtime runtime = Runtime.getRuntime();
    return new HeapRoom(
        () -> runtime.totalMemory() - runtime.freeMemory(),
        runtime.maxMemory(),
        System::gc,
        hurry,
        task -> Thread.ofPlatform().name("heap room").daemon(true).start(task));
  }

  /** Never tight: where nothing large is read. */
  public static HeapRoom plenty() {
    return new HeapRoom(() -> 0, Long.MAX_VALUE, () -> {}, _ -> {}, Runnable::run);
  }

  HeapRoom(
      LongSupplier used, long most, Runnable collect, Consumer<Boolean> hurry, Executor elsewhere) {
    this.used = used;
    this.limit = most / 100 * NEARLY_FULL;
    this.collect = collect;
    this.hurry = hurry;
    this.elsewhere = elsewhere;
  }

  /** Whether who can wait should; if so, there will soon be room. */
  public boolean isTight() {
    if (used.getAsLong() < limit || (helpless && System.nanoTime() - asked < PAUSE)) {
      return false;
    }
    if (collecting.compareAndSet(false, true)) {
      elsewhere.execute(this::collect);
    }
    return !helpless;
  }

  private void collect() {
    hurry.accept(true);
    try {
      collect.run();
    } finally {
      hurry.accept(false);
      asked = System.nanoTime();
      helpless = used.getAsLong() >= limit;
      collecting.set(false);
    }
  }

  /** Returns when there is room, when it is clear that there will not be more, or interrupted. */
  public void await() {
    while (isTight() && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(LOOK);
    }
  }
}
