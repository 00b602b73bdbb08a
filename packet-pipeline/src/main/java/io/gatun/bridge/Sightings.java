package io.gatun.bridge;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ring.handoff.SpscRing;

/**
 * MAC addresses that frames came from and that the bridge has not learnt there, from one worker to
 * the control thread: one producer, one consumer. What finds the ring full is not told; the next
 * frame tells it again.
 */
public final class Sightings implements AutoCloseable {
  /** The consumer's side. */
  @FunctionalInterface
  public interface Consumer {
    /** A frame came from {@code mac} by port {@code port}. */
    void seen(int port, long mac);
  }

  private static final int CAPACITY = 256;

  // port u64, MAC u64
  private static final int SLOT = 16;
  private static final int MAC = 8;

  private final NativeArea area;
  private final SpscRing ring;
  private final int wake;

  /**
   * An empty ring.
   *
   * @param wake an eventfd that is signalled with each sighting; stays the caller's
   */
  public Sightings(String name, int wake) {
    area = NativeArea.map(name, SpscRing.bytes(CAPACITY, SLOT));
    ring = new SpscRing(area.address(), CAPACITY, SLOT);
    this.wake = wake;
  }

  /** Producer. */
  void tell(int port, long mac) {
    long slot = ring.claim();
    if (slot != 0) {
      Memory.putLong(slot, port);
      Memory.putLong(slot + MAC, mac);
      ring.publish();
      Libc.signal(wake);
    }
  }

  /** Consumer: hands over what waits; returns how many. */
  public int poll(Consumer consumer) {
    int count = ring.poll(CAPACITY);
    for (int i = 0; i < count; i++) {
      long slot = ring.slot(i);
      consumer.seen((int) Memory.getLong(slot), Memory.getLong(slot + MAC));
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
