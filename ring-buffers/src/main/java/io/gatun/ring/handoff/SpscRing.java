package io.gatun.ring.handoff;

import io.gatun.ffm.memory.Memory;

/**
 * Fixed-size records from one producer thread to one consumer thread, in order, without locks.
 *
 * <p>Producer: {@link #claim} a slot, write it with {@link Memory}, claim the next …, {@link
 * #publish} them all. Consumer: {@link #poll} how many there are, read each at {@link #slot},
 * {@link #release} them. Rings of 8-byte slots have the short forms {@link #offer} and {@link
 * #take}.
 */
public final class SpscRing {
  /** Bytes in front of the first slot. Two lines a side: the prefetcher fetches lines in pairs. */
  public static final int HEADER = 256;

  private static final int HEAD = 128;

  private final long tailAddress;
  private final long headAddress;
  private final long slots;
  private final int capacity;
  private final int mask;
  private final int slotBytes;

  // The producer's own.
  private long claimed;
  private long knownHead;

  // The gap keeps the two sides' fields on different lines.
  @SuppressWarnings("unused")
  private long p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15;

  // The consumer's own.
  private long released;
  private long knownTail;

  /**
   * A ring over zeroed memory of {@link #bytes} bytes that the caller owns.
   *
   * @param address aligned to 128 bytes
   * @param capacity slots, a power of two
   * @param slotBytes bytes of a slot, a multiple of 8
   */
  public SpscRing(long address, int capacity, int slotBytes) {
    if (Integer.bitCount(capacity) != 1 || slotBytes <= 0 || slotBytes % 8 != 0) {
      throw new IllegalArgumentException(
          "%d slots of %d bytes: slots must be a power of two, bytes a multiple of 8"
              .formatted(capacity, slotBytes));
    }
    if (address % 128 != 0) {
      throw new IllegalArgumentException("0x%x is not aligned to 128 bytes".formatted(address));
    }
    this.tailAddress = address;
    this.headAddress = address + HEAD;
    this.slots = address + HEADER;
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.slotBytes = slotBytes;
  }

  /** Bytes of memory that a ring takes. */
  public static long bytes(int capacity, int slotBytes) {
    return HEADER + (long) capacity * slotBytes;
  }

  public int capacity() {
    return capacity;
  }

  /** Producer: address of the next slot to write, invisible until {@link #publish}; 0 when full. */
  public long claim() {
    long next = claimed;
    if (next - knownHead >= capacity) {
      knownHead = Memory.getLongAcquire(headAddress); // pairs with release: the slot has been read
      if (next - knownHead >= capacity) {
        return 0;
      }
    }
    claimed = next + 1;
    return slots + (next & mask) * slotBytes;
  }

  /** Producer: makes every claimed slot visible to the consumer. */
  public void publish() {
    Memory.putLongRelease(tailAddress, claimed); // pairs with poll: the slots are whole
  }

  /** Producer: claims, writes and publishes one 8-byte slot; false when full. */
  public boolean offer(long value) {
    long slot = claim();
    if (slot == 0) {
      return false;
    }
    Memory.putLong(slot, value);
    publish();
    return true;
  }

  /** Consumer: how many slots can be read, at most {@code limit}. */
  public int poll(int limit) {
    long ready = knownTail - released;
    if (ready < limit) {
      knownTail = Memory.getLongAcquire(tailAddress); // pairs with publish
      ready = knownTail - released;
    }
    return (int) Math.min(ready, limit);
  }

  /** Consumer: address of the {@code i}-th unreleased slot, {@code i} below what poll returned. */
  public long slot(int i) {
    return slots + ((released + i) & mask) * slotBytes;
  }

  /** Consumer: gives the first {@code n} unreleased slots back to the producer. */
  public void release(int n) {
    released += n;
    Memory.putLongRelease(headAddress, released); // pairs with claim: the slots have been read
  }

  /** Consumer: reads and releases one 8-byte slot; {@code none} when the ring is empty. */
  public long take(long none) {
    if (poll(1) == 0) {
      return none;
    }
    long value = Memory.getLong(slot(0));
    release(1);
    return value;
  }

  /** Slots published and not released, as any thread sees it; exact when both sides stand still. */
  public int depth() {
    long head = Memory.getLongAcquire(headAddress); // first: so that depth is never negative
    return (int) (Memory.getLongAcquire(tailAddress) - head);
  }
}
