package io.gatun.ring.xdp;

import io.gatun.ffm.xdp.Xdp;

/**
 * What the kernel counted for a socket since it was opened: struct xdp_statistics of if_xdp.h.
 *
 * @param rxDropped packets dropped for other reasons, say too long for a chunk
 * @param rxInvalid fill-ring entries that are no frame of the UMEM
 * @param txInvalid descriptors refused, say too close to the start of their frame
 * @param rxRingFull packets dropped because the worker was late with its RX ring
 * @param fillRingEmpty packets dropped because no frame was posted
 * @param txRingEmpty times that the kernel looked for something to send and found nothing
 */
public record XdpStatistics(
    long rxDropped,
    long rxInvalid,
    long txInvalid,
    long rxRingFull,
    long fillRingEmpty,
    long txRingEmpty) {
  static XdpStatistics of(int fd) {
    Xdp.Statistics s = Xdp.statistics(fd);
    // In copy mode what finds no frame is counted in both (net/xdp/xsk.c, __xsk_rcv).
    long otherReasons = Math.max(0, s.rxDropped() - s.rxFillRingEmpty());
    return new XdpStatistics(
        otherReasons,
        s.rxInvalidDescriptors(),
        s.txInvalidDescriptors(),
        s.rxRingFull(),
        s.rxFillRingEmpty(),
        s.txRingEmpty());
  }

  /** Packets that the kernel dropped on their way to us. */
  public long dropped() {
    return rxDropped + rxRingFull + fillRingEmpty;
  }
}
