package io.gatun.ring.xdp;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

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
  private static final int BYTES = 48;

  static XdpStatistics of(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment counts = arena.allocate(BYTES, Long.BYTES);
      NativeException.check(
          Libc.getsockopt(fd, XdpOption.SOL_XDP, XdpOption.XDP_STATISTICS, counts.address(), BYTES),
          "getsockopt(XDP_STATISTICS)",
          "the socket must be open");
      return new XdpStatistics(
          counts.get(JAVA_LONG, 0),
          counts.get(JAVA_LONG, 8),
          counts.get(JAVA_LONG, 16),
          counts.get(JAVA_LONG, 24),
          counts.get(JAVA_LONG, 32),
          counts.get(JAVA_LONG, 40));
    }
  }

  /** Packets that the kernel dropped on their way to us. */
  public long dropped() {
    return rxDropped + rxRingFull + fillRingEmpty;
  }
}
