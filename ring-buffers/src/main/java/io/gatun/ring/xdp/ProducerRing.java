package io.gatun.ring.xdp;

import io.gatun.ffm.memory.Memory;

/** A ring that we write and the kernel reads; single-threaded on our side. */
abstract class ProducerRing {
  /** Ring flag (if_xdp.h): the kernel sleeps until it is called. */
  private static final int XDP_RING_NEED_WAKEUP = 1;

  /** Address of entry 0. */
  final long entries;

  final int mask;

  /** Index of the next entry that we write; runs freely, as all ring indices do. */
  int next;

  private final long producer;
  private final long consumer;
  private final long flags;
  private final int size;

  /** The kernel's index as we last saw it. */
  private int knownConsumer;

  ProducerRing(RingMemory ring) {
    producer = ring.producer();
    consumer = ring.consumer();
    flags = ring.flags();
    entries = ring.entries();
    size = ring.size();
    mask = size - 1;
    next = Memory.getInt(producer); // not 0 where a process before us has used the ring
    knownConsumer = Memory.getIntAcquire(consumer);
  }

  /** Entries of the ring, a power of two. */
  public final int size() {
    return size;
  }

  /** How many entries can be written, at most {@code wanted}. */
  public final int room(int wanted) {
    int room = size - (next - knownConsumer);
    if (room < wanted) {
      knownConsumer =
          Memory.getIntAcquire(consumer); // pairs with the kernel's release: it has read
      room = size - (next - knownConsumer);
    }
    return Math.min(room, wanted);
  }

  /** Makes all entries written so far visible to the kernel. */
  public final void submit() {
    Memory.putIntRelease(producer, next); // pairs with the kernel's acquire: the entries are whole
  }

  /** Entries that the kernel has not taken yet. */
  public final int untaken() {
    knownConsumer = Memory.getIntAcquire(consumer);
    return next - knownConsumer;
  }

  /** Whether the kernel asks for a system call to go on; always so for transmit in copy mode. */
  public final boolean needsWakeup() {
    return (Memory.getIntAcquire(flags) & XDP_RING_NEED_WAKEUP) != 0;
  }
}
