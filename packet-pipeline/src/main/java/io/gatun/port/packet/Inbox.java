package io.gatun.port.packet;

import io.gatun.ffm.Epoll;
import io.gatun.ffm.packet.MessageBatch;
import io.gatun.ffm.packet.VirtioNetHeader;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;

/**
 * Super-frames that wait to be received into: one set for all packet ports of a worker, since a
 * call fills those it needs and the next port finds the rest. So a port that is quiet costs no
 * memory. Belongs to one worker.
 *
 * <pre>
 *   frame                         packet
 *   ├ 246 free │ virtio_net_hdr 10 │ Ethernet …                     up to 66 KiB ┤
 * </pre>
 */
public final class Inbox implements AutoCloseable {
  /** Messages of one call. */
  static final int BATCH = 64;

  /** Where packets start: as AF_XDP leaves it, so that stages find the same room everywhere. */
  static final int HEADROOM = 256;

  private static final int MESSAGE_AT = HEADROOM - VirtioNetHeader.BYTES;
  private static final int ROOM = FrameDepot.SUPER_FRAME - MESSAGE_AT;

  /** Port numbers are below it. */
  private static final int PORTS = 1024;

  private final FramePool pool;
  private final MessageBatch messages;
  private final Epoll arrivals = new Epoll();
  private final boolean[] ready = new boolean[PORTS];
  private final int[] asked = new int[PORTS];
  private int round;
  private final long[] frames = new long[BATCH];

  /** Takes frames from {@code superFrames} as they are needed. */
  public Inbox(String name, FramePool superFrames) {
    pool = superFrames;
    messages = new MessageBatch("inbox " + name, BATCH);
  }

  /** From now on {@link #arrived} tells of port {@code number}; closing its descriptor ends it. */
  void watch(int fd, int number) {
    ready[number] = true;
    arrivals.add(fd, number);
  }

  /**
   * Whether something waits for port {@code number}, so that a quiet port costs no system call.
   * Each asks once a cycle: who asks for the second time begins the next one, and has all looked
   * at.
   */
  boolean arrived(int number) {
    if (asked[number] == round) {
      round++;
      int n = arrivals.look();
      for (int i = 0; i < n; i++) {
        ready[arrivals.number(i)] = true;
      }
    }
    asked[number] = round;
    boolean here = ready[number];
    ready[number] = false;
    return here;
  }

  /** Receives up to {@code limit} messages; how many, or −errno. */
  int receive(int fd, int limit) {
    int count = Math.min(limit, BATCH);
    for (int i = 0; i < count; i++) {
      if (frames[i] == 0) {
        long frame = pool.take();
        if (frame == 0) {
          count = i; // what is under way comes back at the end of the cycle
          break;
        }
        frames[i] = frame;
        messages.set(i, frame + MESSAGE_AT, ROOM);
      }
    }
    return count == 0 ? 0 : messages.receive(fd, count);
  }

  /** Frame {@code i}, the caller's from now on. */
  long take(int i) {
    long frame = frames[i];
    frames[i] = 0;
    return frame;
  }

  /** Bytes received into frame {@code i}, offload header included; −1 when it was cut. */
  int length(int i) {
    return messages.truncated(i) ? -1 : messages.length(i);
  }

  /** Gives the waiting frames back; the worker has ended. */
  @Override
  public void close() {
    for (int i = 0; i < BATCH; i++) {
      if (frames[i] != 0) {
        pool.give(take(i));
      }
    }
    messages.close();
    arrivals.close();
  }
}
