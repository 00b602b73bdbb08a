package io.gatun.ring.xdp;

import io.gatun.ffm.memory.Memory;

/**
 * Packets to send; owned by the socket's worker. {@link #put} them, {@link #submit} once a burst,
 * then {@link XdpSocket#wakeTx}. A packet that was put belongs to the kernel until its frame comes
 * back through the {@link CompletionRing}.
 *
 * <p>A packet must begin at least {@link Umem#TX_METADATA} bytes after the start of its frame, also
 * without metadata: the kernel checks the whole (xp_aligned_validate_desc) and counts the packet as
 * {@link XdpStatistics#txInvalid} otherwise.
 */
public final class TxRing extends ProducerRing {
  /** Descriptor option (if_xdp.h): metadata stands in front of the packet. */
  private static final int XDP_TX_METADATA = 2;

  /** Metadata flag (if_xdp.h): fill in the L4 checksum. */
  private static final long XDP_TXMD_FLAGS_CHECKSUM = 2;

  private final long base;
  private final Custody custody;
  private final char socket;

  TxRing(RingMemory ring, long base, Custody custody, char socket) {
    super(ring);
    this.base = base;
    this.custody = custody;
    this.socket = socket;
  }

  /** Whether one more can be queued. */
  public boolean hasRoom() {
    return room(1) != 0;
  }

  /** Queues {@code length} bytes at absolute {@code address} as they are; false when full. */
  public boolean put(long address, int length) {
    return put(address, length, 0);
  }

  /**
   * Queues a packet whose L4 checksum is still to be completed: its field holds the pseudo-header
   * sum only. Writes {@link Umem#TX_METADATA} bytes in front of the packet.
   *
   * @param checksumStart offset of the L4 header from {@code address}
   * @param checksumOffset offset of the field in the L4 header: 16 TCP, 6 UDP
   */
  public boolean putPartial(long address, int length, int checksumStart, int checksumOffset) {
    if (room(1) == 0) {
      return false;
    }
    // struct xsk_tx_metadata: flags u64 @0, csum_start u16 @8, csum_offset u16 @10, launch_time @16
    long metadata = address - Umem.TX_METADATA;
    Memory.putLong(metadata, XDP_TXMD_FLAGS_CHECKSUM);
    Memory.putLong(metadata + 8, checksumStart | (long) checksumOffset << 16);
    Memory.putLong(metadata + 16, 0);
    return put(address, length, XDP_TX_METADATA);
  }

  private boolean put(long address, int length, int options) {
    if (room(1) == 0) {
      return false;
    }
    long descriptor = entries + (long) (next++ & mask) * RxRing.DESCRIPTOR;
    Memory.putLong(descriptor, address - base);
    Memory.putInt(descriptor + 8, length);
    Memory.putInt(descriptor + 12, options);
    custody.toKernel(address, socket);
    return true;
  }
}
