package io.gatun.bridge;

import io.gatun.ffm.memory.Memory;
import io.gatun.ring.handoff.Notices;

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

  // port u64, MAC u64
  private static final int BYTES = 16;
  private static final int MAC = 8;

  private final Notices notices;

  /**
   * None yet.
   *
   * @param wake an eventfd that is signalled with each sighting; stays the caller's
   */
  public Sightings(String name, int wake) {
    notices = new Notices(name, BYTES, wake);
  }

  /** Producer. */
  void tell(int port, long mac) {
    long notice = notices.claim();
    if (notice != 0) {
      Memory.putLong(notice, port);
      Memory.putLong(notice + MAC, mac);
      notices.tell();
    }
  }

  /** Consumer: hands over what waits; returns how many. */
  public int poll(Consumer consumer) {
    return notices.poll(
        notice -> consumer.seen((int) Memory.getLong(notice), Memory.getLong(notice + MAC)));
  }

  /** Frees the memory; neither side may be left. */
  @Override
  public void close() {
    notices.close();
  }
}
