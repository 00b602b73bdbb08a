package io.gatun.tunnel;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Packets and bytes by tunnel, in each direction. One writer, a worker; read by any thread. Bytes
 * are those of inner frames. A number that comes to stand for another tunnel goes on counting; it
 * is used again only after all others.
 */
public final class TunnelCounters {
  private static final int SENT = 0;
  private static final int SENT_BYTES = 1;
  private static final int RECEIVED = 2;
  private static final int RECEIVED_BYTES = 3;
  private static final int COLUMNS = 4;

  private final AtomicLongArray counts;

  /** Room for the numbers 0 to {@code capacity}; 0 is who is no tunnel of ours. */
  public TunnelCounters(int capacity) {
    counts = new AtomicLongArray((capacity + 1) * COLUMNS);
  }

  void sent(int tunnel, int packets, int bytes) {
    add(tunnel * COLUMNS + SENT, packets);
    add(tunnel * COLUMNS + SENT_BYTES, bytes);
  }

  void received(int tunnel, int packets, int bytes) {
    add(tunnel * COLUMNS + RECEIVED, packets);
    add(tunnel * COLUMNS + RECEIVED_BYTES, bytes);
  }

  /** One writer: no atomic addition is needed, but readers see whole numbers. */
  private void add(int at, int amount) {
    counts.setOpaque(at, counts.getPlain(at) + amount);
  }

  public long sent(int tunnel) {
    return counts.getOpaque(tunnel * COLUMNS + SENT);
  }

  public long sentBytes(int tunnel) {
    return counts.getOpaque(tunnel * COLUMNS + SENT_BYTES);
  }

  public long received(int tunnel) {
    return counts.getOpaque(tunnel * COLUMNS + RECEIVED);
  }

  public long receivedBytes(int tunnel) {
    return counts.getOpaque(tunnel * COLUMNS + RECEIVED_BYTES);
  }
}
