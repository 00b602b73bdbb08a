package io.gatun.ring.xdp;

import io.gatun.ffm.memory.Memory;

/**
 * Received packets; owned by the socket's worker. {@link #peek} says how many there are; read each,
 * and {@link #release} them: from then on, and not before, their frames are the worker's to send or
 * to give back.
 */
public final class RxRing extends ConsumerRing {
  /** struct xdp_desc: addr u64 @0, len u32 @8, options u32 @12. */
  static final int DESCRIPTOR = 16;

  /** Option: the packet goes on in the next descriptor (multi-buffer, which we do not ask for). */
  public static final int XDP_PKT_CONTD = 1;

  private final long base;
  private final Custody custody;

  RxRing(RingMemory ring, long base, Custody custody) {
    super(ring);
    this.base = base;
    this.custody = custody;
  }

  private long descriptor(int i) {
    return entries + (long) ((first + i) & mask) * DESCRIPTOR;
  }

  /** Absolute address of the {@code i}-th unreleased packet's first byte. */
  public long address(int i) {
    return base + Memory.getLong(descriptor(i));
  }

  /** Bytes of the {@code i}-th packet. */
  public int length(int i) {
    return Memory.getInt(descriptor(i) + 8);
  }

  /** Options of the {@code i}-th packet, {@link #XDP_PKT_CONTD} or 0. */
  public int options(int i) {
    return Memory.getInt(descriptor(i) + 12);
  }

  /** Takes the first {@code n} packets over. */
  public void release(int n) {
    for (int i = 0; i < n; i++) {
      custody.back(address(i));
    }
    releaseEntries(n);
  }
}
