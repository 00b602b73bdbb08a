package io.gatun.ring.xdp;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.ffm.memory.NativeArea;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The four rings of one socket: sized, mapped, and all unmapped together. Control side. */
final class XdpRings implements AutoCloseable {
  private static final int DESCRIPTOR = 16;
  private static final int ADDRESS = Long.BYTES;

  private final List<NativeArea> areas = new ArrayList<>();
  private final RingMemory rx;
  private final RingMemory tx;
  private final RingMemory fill;
  private final RingMemory completion;

  private XdpRings(int fd, int rxSize, int txSize) {
    size(fd, XdpOption.XDP_UMEM_FILL_RING, rxSize);
    size(fd, XdpOption.XDP_UMEM_COMPLETION_RING, txSize);
    size(fd, XdpOption.XDP_RX_RING, rxSize);
    size(fd, XdpOption.XDP_TX_RING, txSize);
    // One sendto for the whole ring. Kernels that do not know the option send 32 a call.
    var _ =
        Libc.setsockopt(
            fd, XdpOption.SOL_XDP, XdpOption.XDP_MAX_TX_SKB_BUDGET, Math.max(32, txSize));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment offsets = arena.allocate(XdpOption.MMAP_OFFSETS_BYTES, Long.BYTES);
      NativeException.check(
          Libc.getsockopt(
              fd,
              XdpOption.SOL_XDP,
              XdpOption.XDP_MMAP_OFFSETS,
              offsets.address(),
              XdpOption.MMAP_OFFSETS_BYTES),
          "getsockopt(XDP_MMAP_OFFSETS)",
          "needs Linux 5.4 or later");
      rx = map(fd, "rx", XdpOption.XDP_PGOFF_RX_RING, offsets.asSlice(0, 32), rxSize, DESCRIPTOR);
      tx = map(fd, "tx", XdpOption.XDP_PGOFF_TX_RING, offsets.asSlice(32, 32), txSize, DESCRIPTOR);
      fill =
          map(
              fd,
              "fill",
              XdpOption.XDP_UMEM_PGOFF_FILL_RING,
              offsets.asSlice(64, 32),
              rxSize,
              ADDRESS);
      completion =
          map(
              fd,
              "completion",
              XdpOption.XDP_UMEM_PGOFF_COMPLETION_RING,
              offsets.asSlice(96, 32),
              txSize,
              ADDRESS);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Gives {@code fd} its rings: RX and FILL of {@code rxSize}, TX and COMPLETION of the other. */
  static XdpRings map(int fd, int rxSize, int txSize) {
    return new XdpRings(fd, rxSize, txSize);
  }

  private static void size(int fd, int option, int entries) {
    NativeException.check(
        Libc.setsockopt(fd, XdpOption.SOL_XDP, option, entries),
        "AF_XDP ring of " + entries + " entries",
        "ring sizes must be powers of two");
  }

  private RingMemory map(
      int fd, String name, long pageOffset, MemorySegment offsets, int size, int entryBytes) {
    long entries = offsets.get(JAVA_LONG, 16);
    NativeArea area =
        NativeArea.mapDescriptor(
            "AF_XDP " + name + " ring", fd, pageOffset, entries + (long) size * entryBytes);
    areas.add(area);
    long base = area.address();
    return new RingMemory(
        base + offsets.get(JAVA_LONG, 0),
        base + offsets.get(JAVA_LONG, 8),
        base + offsets.get(JAVA_LONG, 24),
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
