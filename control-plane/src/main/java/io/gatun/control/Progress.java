package io.gatun.control;

import io.gatun.control.model.ObjectChanges;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How changes of objects come through: counted by the control thread, read by any. What kube-proxy
 * calls a sync is here from the first change taken until nothing is left to do.
 */
public final class Progress {
  /** Is told how long a sync took; on the control thread. */
  @FunctionalInterface
  public interface Listener {
    void synced(Duration took);
  }

  private volatile @Nullable Listener listener;
  private volatile long pendingSince;
  private volatile long queuedMillis;
  private volatile long appliedMillis;
  private volatile long services;
  private volatile long slices;
  private volatile int pendingServices;
  private volatile int pendingSlices;

  /** From now on. */
  public void listener(Listener told) {
    listener = told;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
  void queued(ObjectChanges changes, long now) {
    queuedMillis = System.currentTimeMillis();
    services += changes.serviceObjects();
    slices += changes.sliceObjects();
    pendingServices += changes.serviceObjects();
    pendingSlices += changes.sliceObjects();
    if (pendingSince == 0) {
      pendingSince = now == 0 ? 1 : now;
    }
  }

  void applied(long now) {
    long since = pendingSince;
    if (since == 0) {
      return;
    }
    pendingServices = 0;
    pendingSlices = 0;
    appliedMillis = System.currentTimeMillis();
    pendingSince = 0;
    Listener told = listener;
    if (told != null) {
      told.synced(Duration.ofNanos(now - since));
    }
  }

  /** How long the oldest change that is not in the tables waits; zero when all are. */
  public Duration pending() {
    long since = pendingSince;
    return since == 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - since);
  }

  /** Milliseconds of the epoch in which a change was last taken; 0 before the first. */
  public long queuedMillis() {
    return queuedMillis;
  }

  /** Milliseconds of the epoch in which everything was last in the tables; 0 before the first. */
  public long appliedMillis() {
    return appliedMillis;
  }

  /** Changes of Services so far. */
  public long services() {
    return services;
  }

  /** Changes of EndpointSlices so far. */
  public long slices() {
    return slices;
  }

  /** Changes of Services that are not in the tables. */
  public int pendingServices() {
    return pendingServices;
  }

  /** Changes of EndpointSlices that are not in the tables. */
  public int pendingSlices() {
    return pendingSlices;
  }
}
