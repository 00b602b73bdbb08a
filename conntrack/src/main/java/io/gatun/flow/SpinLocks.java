package io.gatun.flow;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Many small locks in private memory, held for a few dozen instructions. Safe for use by many
 * threads; not reentrant. Spins, then yields: a holder may have lost its core.
 */
final class SpinLocks {
  private static final VarHandle LOCK = MethodHandles.arrayElementVarHandle(int[].class);
  private static final int SPINS = 64;

  private final int[] locks;

  SpinLocks(int count) {
    locks = new int[count];
  }

  boolean tryLock(int i) {
    return LOCK.compareAndSet(locks, i, 0, 1);
  }

  @SuppressWarnings("ThreadPriorityCheck") // the holder may wait for this core
  void lock(int i) {
    int spins = 0;
    while (!tryLock(i)) {
      if (++spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  /** Release: what the holder wrote is seen by the next {@link #lock}. */
  void unlock(int i) {
    LOCK.setRelease(locks, i, 0);
  }
}
