package io.gatun.fib;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ring.handoff.SpscRing;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * Neighbours that packets wait for, from one worker to the control thread: one producer, one
 * consumer. What finds the ring full is not asked; the next packet asks again.
 */
public final class Questions implements AutoCloseable {
  /** The consumer's side of a question. */
  @FunctionalInterface
  public interface Consumer {
    /** A packet to {@code destination} waits for whom its route leads to. */
    void waiting(InetAddress destination);
  }

  private static final int CAPACITY = 256;

  // IPv6 u64, destination 2 × u64 in host order
  private static final int SLOT = 24;
  private static final int HIGH = 8;
  private static final int LOW = 16;

  private final NativeArea area;
  private final SpscRing ring;
  private final int wake;

  /**
   * An empty ring.
   *
   * @param wake an eventfd that is signalled with each question; stays the caller's
   */
  public Questions(String name, int wake) {
    area = NativeArea.map(name, SpscRing.bytes(CAPACITY, SLOT));
    ring = new SpscRing(area.address(), CAPACITY, SLOT);
    this.wake = wake;
  }

  /** Producer. */
  void ask(boolean six, long high, long low) {
    long slot = ring.claim();
    if (slot != 0) {
      Memory.putLong(slot, six ? 1 : 0);
      Memory.putLong(slot + HIGH, high);
      Memory.putLong(slot + LOW, low);
      ring.publish();
      Libc.signal(wake);
    }
  }

  /** Consumer: hands over what waits; returns how many. */
  public int poll(Consumer consumer) {
    int count = ring.poll(CAPACITY);
    for (int i = 0; i < count; i++) {
      long slot = ring.slot(i);
      long low = Memory.getLong(slot + LOW);
      byte[] destination =
          Memory.getLong(slot) == 0
              ? ByteBuffer.allocate(4).putInt((int) low).array()
              : ByteBuffer.allocate(16).putLong(Memory.getLong(slot + HIGH)).putLong(low).array();
      try {
        consumer.waiting(InetAddress.getByAddress(destination));
      } catch (UnknownHostException impossible) {
        throw new AssertionError(impossible);
      }
    }
    ring.release(count);
    return count;
  }

  /** Frees the memory; neither side may be left. */
  @Override
  public void close() {
    area.close();
  }
}
