package io.gatun.ring.xdp;

import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.ffm.xdp.Xdp;
import java.util.ArrayList;
import java.util.List;

/** The four rings of one socket: sized, mapped, and all unmapped together. Control side. */
final class XdpRings implements AutoCloseable {
  private static final int DESCRIPTOR = Xdp.DESC_BYTES;
  private static final int ADDRESS = Long.BYTES;

  private final List<NativeArea> areas = new ArrayList<>();
  private final RingMemory rx;
  private final RingMemory tx;
  private final RingMemory fill;
  private final RingMemory completion;

  private XdpRings(int fd, int rxSize, int txSize) {
    Xdp.MmapOffsets at = Xdp.mmapOffsets(fd);
    try {
      rx = map(fd, "rx", Xdp.XDP_PGOFF_RX_RING, at.rx(), rxSize, DESCRIPTOR);
      tx = map(fd, "tx", Xdp.XDP_PGOFF_TX_RING, at.tx(), txSize, DESCRIPTOR);
      fill = map(fd, "fill", Xdp.XDP_UMEM_PGOFF_FILL_RING, at.fill(), rxSize, ADDRESS);
      completion =
          map(
              fd,
              "completion",
              Xdp.XDP_UMEM_PGOFF_COMPLETION_RING,
              at.completion(),
              txSize,
              ADDRESS);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Gives {@code fd} its rings: RX and FILL of {@code rxSize}, TX and COMPLETION of the other. */
  static XdpRings make(int fd, int rxSize, int txSize) {
    size(fd, Xdp.XDP_UMEM_FILL_RING, rxSize);
    size(fd, Xdp.XDP_UMEM_COMPLETION_RING, txSize);
    size(fd, Xdp.XDP_RX_RING, rxSize);
    size(fd, Xdp.XDP_TX_RING, txSize);
    // One sendto for the whole ring. Kernels that do not know the option send 32 a call.
    var _ = Xdp.maxTxBudget(fd, Math.max(32, txSize));
    return new XdpRings(fd, rxSize, txSize);
  }

  /** The rings that {@code fd} has already. */
  static XdpRings of(int fd, int rxSize, int txSize) {
    return new XdpRings(fd, rxSize, txSize);
  }

  private static void size(int fd, int option, int entries) {
    NativeException.check(
        Xdp.ringSize(fd, option, entries),
        "AF_XDP ring of " + entries + " entries",
        "ring sizes must be powers of two");
  }

  private RingMemory map(
      int fd, String name, long pageOffset, Xdp.RingOffsets offsets, int size, int entryBytes) {
    long entries = offsets.descriptors();
    NativeArea area =
        NativeArea.mapDescriptor(
            "AF_XDP " + name + " ring", fd, pageOffset, entries + (long) size * entryBytes);
    areas.add(area);
    long base = area.address();
    return new RingMemory(
        base + offsets.producer(),
        base + offsets.consumer(),
        base + offsets.flags(),
        base + entries,
        size);
  }

  RingMemory rx() {
    return rx;
  }

  RingMemory tx() {
    return tx;
  }

  RingMemory fill() {
    return fill;
  }

  RingMemory completion() {
    return completion;
  }

  @Override
  public void close() {
    areas.forEach(NativeArea::close);
  }
}
