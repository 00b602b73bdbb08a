package io.gatun.fib;

import io.gatun.ffm.AddressBytes;
import io.gatun.ffm.memory.Memory;
import io.gatun.ring.handoff.Notices;
import java.net.InetAddress;
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

  // IPv6 u64, destination 2 × u64 in host order
  private static final int BYTES = 24;
  private static final int HIGH = 8;
  private static final int LOW = 16;

  private final Notices notices;

  /**
   * None yet.
   *
   * @param wake an eventfd that is signalled with each question; stays the caller's
   */
  public Questions(String name, int wake) {
    notices = new Notices(name, BYTES, wake);
  }

  /** Producer. */
  void ask(boolean six, long high, long low) {
    long notice = notices.claim();
    if (notice != 0) {
      Memory.putLong(notice, six ? 1 : 0);
      Memory.putLong(notice + HIGH, high);
      Memory.putLong(notice + LOW, low);
      notices.tell();
    }
  }

  /** Consumer: hands over what waits; returns how many. */
  public int poll(Consumer consumer) {
    return notices.poll(notice -> consumer.waiting(destination(notice)));
  }

  private static InetAddress destination(long notice) {
    long low = Memory.getLong(notice + LOW);
    byte[] address =
        Memory.getLong(notice) == 0
            ? ByteBuffer.allocate(4).putInt((int) low).array()
            : ByteBuffer.allocate(16).putLong(Memory.getLong(notice + HIGH)).putLong(low).array();
    return AddressBytes.of(address);
  }

  /** Frees the memory; neither side may be left. */
  @Override
  public void close() {
    notices.close();
  }
}
