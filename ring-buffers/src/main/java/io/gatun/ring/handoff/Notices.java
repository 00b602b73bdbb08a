package io.gatun.ring.handoff;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.NativeArea;
import java.util.function.LongConsumer;

/**
 * Short messages from a worker to the control thread, whose sleep each of them ends: one producer,
 * one consumer. What finds no room is not told; so they are for what happens again.
 */
public final class Notices implements AutoCloseable {
  private static final int CAPACITY = 256;

  private final NativeArea area;
  private final SpscRing ring;
  private final int wake;

  /**
   * None waits.
   *
   * @param bytes of a notice, a multiple of 8
   * @param wake an eventfd that is signalled with each notice; stays the caller's
   */
  public Notices(String name, int bytes, int wake) {
    area = NativeArea.map(name, SpscRing.bytes(CAPACITY, bytes));
    ring = new SpscRing(area.address(), CAPACITY, bytes);
    this.wake = wake;
  }

  /** Producer: where to write the next notice before it is {@link #tell told}; 0: no room. */
  public long claim() {
    return ring.claim();
  }

  /** Producer: what was claimed is whole. */
  public void tell() {
    ring.publish();
    Libc.signal(wake);
  }

  /** Consumer: hands over the address of each notice that waits; returns how many. */
  public int poll(LongConsumer reader) {
    int count = ring.poll(CAPACITY);
    for (int i = 0; i < count; i++) {
      reader.accept(ring.slot(i));
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
