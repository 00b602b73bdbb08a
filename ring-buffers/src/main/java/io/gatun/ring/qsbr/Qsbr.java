package io.gatun.ring.qsbr;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Quiescence of up to {@code readers} readers for one writer. Each {@link Reader} belongs to one
 * thread; {@link #retire} and {@link #reclaim} to the writer's.
 */
public final class Qsbr {
  private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle EPOCH;

  static {
    try {
      EPOCH = MethodHandles.lookup().findVarHandle(Qsbr.class, "epoch", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final long OFFLINE = 0;

  /** Longs between two readers' slots: two cache lines, as the prefetcher fetches them in pairs. */
  private static final int STRIDE = 16;

  private final long[] seen;
  private final int readers;
  private int registered;

  /** Grows by {@link #advance} only; starts above {@link #OFFLINE}. */
  @SuppressWarnings("UnusedVariable") // used through EPOCH
  private long epoch = 1;

  private final Retired retired = new Retired();

  /** For at most {@code readers} workers. */
  public Qsbr(int readers) {
    this.readers = readers;
    this.seen = new long[(readers + 2) * STRIDE]; // a stride free at both ends: no false sharing
  }

  /** A new reader, offline. Callable from any thread. */
  public synchronized Reader register() {
    if (registered == readers) {
      throw new IllegalStateException(
          "all %d readers are registered: make Qsbr with more".formatted(readers));
    }
    return new Reader(++registered * STRIDE);
  }

  /** Writer: {@code record} was unlinked; {@code how} frees it when no reader can still see it. */
  public void retire(long record, Reclaimer how) {
    retired.add(record, how, advance());
  }

  /**
   * Writer: frees every record that all readers have left behind; returns how many. Never waits.
   */
  public int reclaim() {
    return retired.isEmpty() ? 0 : retired.free(oldestSeen());
  }

  /** Writer: records retired and not yet freed. */
  public int pending() {
    return retired.size();
  }

  /**
   * Any thread: begins a new epoch and returns it. What was unlinked before may be freed when
   * {@link #passed} says so: for writers that keep their own lists.
   */
  public long advance() {
    // Pairs with quiescent: who sees the epoch sees the unlinking.
    return (long) EPOCH.getAndAdd(this, 1L) + 1;
  }

  /** Any thread: whether every reader has been quiescent or offline since {@code epoch} began. */
  public boolean passed(long epoch) {
    return oldestSeen() >= epoch;
  }

  /**
   * The same for an epoch of which only the low 32 bits were kept: right for those of the last two
   * thousand million.
   */
  public boolean passed(int epoch) {
    return (int) (oldestSeen() - epoch) >= 0;
  }

  private long oldestSeen() {
    // The other half of the fence in online(): either we see the reader online, or it sees the new
    // root. Without it our unlinking could be delayed beyond these loads.
    VarHandle.fullFence();
    // Not beyond now: who comes online after these loads may see what is retired after them.
    long oldest = (long) EPOCH.getAcquire(this);
    for (int i = 1; i <= readers; i++) {
      long at = (long) SLOT.getAcquire(seen, i * STRIDE); // pairs with quiescent and offline
      if (at != OFFLINE && at < oldest) {
        oldest = at;
      }
    }
    return oldest;
  }

  /** Frees a record that nobody can see any more; called on the writer's thread. */
  @FunctionalInterface
  public interface Reclaimer {
    void free(long record);
  }

  /** One worker's side; single-threaded. */
  public final class Reader {
    private final int slot;

    private Reader(int slot) {
      this.slot = slot;
    }

    /** Begins reading: after this, and not before, read every root pointer. Not twice in a row. */
    public void online() {
      SLOT.setOpaque(seen, slot, (long) EPOCH.getAcquire(Qsbr.this));
      VarHandle.fullFence(); // store before the loads of roots; partner in oldestSeen()
    }

    /** Holds no pointer into any table at this moment: once a duty cycle. */
    public void quiescent() {
      long now = (long) EPOCH.getAcquire(Qsbr.this); // pairs with advance
      SLOT.setRelease(seen, slot, now); // after everything read so far
    }

    /**
     * Holds no pointer and will read nothing until {@link #online}: before poll(2), and at the end.
     */
    public void offline() {
      SLOT.setRelease(seen, slot, OFFLINE);
    }

    /** Whether this reader is between online and offline. */
    public boolean isOnline() {
      return (long) SLOT.getOpaque(seen, slot) != OFFLINE;
    }
  }
}
