package io.gatun.service;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Which endpoint a client of a sticky Service had last: (Service port, client address) to endpoint
 * address and port. Where it stands in the flow file it outlives the process: Service ports go by
 * their names' hash, which is the same for every process, and an entry is there or not whenever a
 * process may die. Shared by all workers, asked for new connections only, a lock per bucket. Of
 * fixed size: in a full bucket the entry that was refreshed longest ago gives way, an expired one
 * first.
 *
 * <pre>
 *   entry, 64 bytes: client high, client low │ endpoint high, endpoint low │ endpoint's port │
 *                    tick of the last new connection, ticks to live (0: free) │ Service port
 *   bucket: 8 entries
 * </pre>
 */
final class AffinityTable implements AutoCloseable {
  private static final VarHandle LOCK = MethodHandles.arrayElementVarHandle(int[].class);

  private static final int ENTRY = 64;
  private static final int WAYS = 8;
  private static final int ENDPOINT = 16;
  private static final int PORT = 36;
  private static final int TICK = 40;
  private static final int LIFE = 44;
  private static final int SERVICE = 48;

  /** Another number whenever an entry's layout or meaning changes. */
  static final long LAYOUT = 1;

  private final @Nullable NativeArea area;
  private final long base;
  private final int mask;
  private final int[] locks;

  /** {@code buckets}: a power of two. Memory that is never used is never there. */
  AffinityTable(int buckets) {
    this(buckets, 0);
  }

  /**
   * In {@link #bytes} bytes of somebody else's memory, with what is there; 0 for memory of ours.
   */
  AffinityTable(int buckets, long memory) {
    area = memory != 0 ? null : NativeArea.map("affinity", bytes(buckets));
    base = area == null ? memory : area.address();
    mask = buckets - 1;
    locks = new int[Math.min(buckets, 4096)];
  }

  static long bytes(int buckets) {
    return (long) buckets * WAYS * ENTRY;
  }

  /** What a Service port's entries go by: FNV-1a of its name. */
  static long identity(String service) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < service.length(); i++) {
      hash = (hash ^ service.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }

  private int bucket(long service, long high, long low) {
    return (int) (Maglev.mix(Maglev.mix(high ^ service) ^ low) >>> 32) & mask;
  }

  /**
   * Index in {@code set} of the endpoint that the client had, when that is younger than its life
   * and the endpoint is in the set; otherwise -1.
   */
  int find(long service, long high, long low, long set, int now) {
    int bucket = bucket(service, high, low);
    lock(bucket);
    long entry = entry(bucket, service, high, low);
    int index =
        entry == 0 || expired(entry, now)
            ? -1
            : SetRecord.find(
                set,
                Memory.getLong(entry + ENDPOINT),
                Memory.getLong(entry + ENDPOINT + 8),
                Memory.getInt(entry + PORT));
    unlock(bucket);
    return index;
  }

  /** The client made a new connection to {@code endpoint} of a set. */
  void remember(long service, long high, long low, long endpoint, int now, int life) {
    int bucket = bucket(service, high, low);
    lock(bucket);
    long entry = entry(bucket, service, high, low);
    boolean known = entry != 0;
    entry = known ? entry : oldest(bucket, now);
    // Free, whole, and only then there again: whoever follows us finds all of it or nothing.
    Memory.putInt(entry + LIFE, 0);
    VarHandle.releaseFence();
    if (!known) {
      Memory.putLong(entry, high);
      Memory.putLong(entry + 8, low);
      Memory.putLong(entry + SERVICE, service);
    }
    Memory.putLong(entry + ENDPOINT, Memory.getLong(endpoint));
    Memory.putLong(entry + ENDPOINT + 8, Memory.getLong(endpoint + 8));
    Memory.putInt(entry + PORT, SetRecord.port(endpoint));
    Memory.putInt(entry + TICK, now);
    Memory.putIntRelease(entry + LIFE, life);
    unlock(bucket);
  }

  /** The Service port is gone: one of the same name begins anew. Looks at all entries. */
  void forget(long service) {
    for (int bucket = 0; bucket <= mask; bucket++) {
      lock(bucket);
      for (long e = first(bucket), end = e + WAYS * ENTRY; e < end; e += ENTRY) {
        if (Memory.getLong(e + SERVICE) == service) {
          Memory.putInt(e + LIFE, 0);
        }
      }
      unlock(bucket);
    }
  }

  private long first(int bucket) {
    return base + (long) bucket * WAYS * ENTRY;
  }

  private long entry(int bucket, long service, long high, long low) {
    for (long e = first(bucket), end = e + WAYS * ENTRY; e < end; e += ENTRY) {
      if (Memory.getLong(e + 8) == low
          && Memory.getLong(e) == high
          && Memory.getLong(e + SERVICE) == service
          && Memory.getInt(e + LIFE) != 0) {
        return e;
      }
    }
    return 0;
  }

  private static boolean expired(long entry, int now) {
    return now - Memory.getInt(entry + TICK) > Memory.getInt(entry + LIFE);
  }

  private long oldest(int bucket, int now) {
    long oldest = 0;
    int age = -1;
    for (long e = first(bucket), end = e + WAYS * ENTRY; e < end; e += ENTRY) {
      if (Memory.getInt(e + LIFE) == 0 || expired(e, now)) {
        return e;
      }
      int its = Math.max(0, now - Memory.getInt(e + TICK));
      if (its > age) {
        oldest = e;
        age = its;
      }
    }
    return oldest;
  }

  @SuppressWarnings("ThreadPriorityCheck") // the holder may wait for this core
  private void lock(int bucket) {
    int i = bucket & (locks.length - 1);
    for (int spins = 0; !LOCK.compareAndSet(locks, i, 0, 1); spins++) {
      if (spins < 64) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private void unlock(int bucket) {
    LOCK.setRelease(locks, bucket & (locks.length - 1), 0);
  }

  @Override
  public void close() {
    if (area != null) {
      area.close();
    }
  }
}
