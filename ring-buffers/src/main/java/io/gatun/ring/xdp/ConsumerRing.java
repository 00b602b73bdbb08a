package io.gatun.ring.xdp;

import io.gatun.ffm.memory.Memory;

/** A ring that the kernel writes and we read; single-threaded on our side. */
abstract class ConsumerRing {
  /** Address of entry 0. */
  final long entries;

  final int mask;

  /** Index of the first entry that we have not released; runs freely. */
  int first;

  private final long producer;
  private final long consumer;
  private final int size;

  /** The kernel's index as we last saw it. */
  private int knownProducer;

  ConsumerRing(RingMemory ring) {
    producer = ring.producer();
    consumer = ring.consumer();
    entries = ring.entries();
    size = ring.size();
    mask = size - 1;
    first = Memory.getInt(consumer); // not 0 where a process before us has used the ring
    knownProducer = first;
  }

  /** Entries of the ring, a power of two. */
  public final int size() {
    return size;
  }

  /** How many entries can be read, at most {@code limit}. */
  public final int peek(int limit) {
    int ready = knownProducer - first;
    if (ready < limit) {
      knownProducer = Memory.getIntAcquire(producer); // pairs with the kernel's release of entries
      ready = knownProducer - first;
    }
    return Math.min(ready, limit);
  }

  /** Gives the first {@code n} entries back to the kernel. */
  final void releaseEntries(int n) {
    first += n;
    Memory.putIntRelease(consumer, first); // pairs with the kernel's acquire: we have read them
  }
}
