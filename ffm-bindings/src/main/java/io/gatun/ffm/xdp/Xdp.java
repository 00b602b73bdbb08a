package io.gatun.ffm.xdp;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The AF_XDP socket's options and structs ({@code include/uapi/linux/if_xdp.h}). For setting up,
 * not per packet; stateless. Methods that return {@code int} return −errno when the kernel refuses.
 */
public final class Xdp {
  public static final int SOL_XDP = 283;
  public static final int XDP_MMAP_OFFSETS = 1;
  public static final int XDP_RX_RING = 2;
  public static final int XDP_TX_RING = 3;
  public static final int XDP_UMEM_REG = 4;
  public static final int XDP_UMEM_FILL_RING = 5;
  public static final int XDP_UMEM_COMPLETION_RING = 6;
  public static final int XDP_STATISTICS = 7;
  public static final int XDP_OPTIONS = 8;

  /** From Linux 6.18: descriptors one sendto handles, from 32 to the TX ring's size. */
  public static final int XDP_MAX_TX_SKB_BUDGET = 9;

  public static final int XDP_SHARED_UMEM = 1;
  public static final int XDP_COPY = 2;
  public static final int XDP_ZEROCOPY = 4;
  public static final int XDP_USE_NEED_WAKEUP = 8;
  public static final int XDP_USE_SG = 16;
  public static final int XDP_RING_NEED_WAKEUP = 1;
  public static final int XDP_OPTIONS_ZEROCOPY = 1;

  public static final int XDP_UMEM_UNALIGNED_CHUNK_FLAG = 1;
  public static final int XDP_UMEM_TX_SW_CSUM = 2;

  /** Without this flag newer kernels ignore the metadata length. */
  public static final int XDP_UMEM_TX_METADATA_LEN = 4;

  public static final long XDP_PGOFF_RX_RING = 0;
  public static final long XDP_PGOFF_TX_RING = 0x80000000L;
  public static final long XDP_UMEM_PGOFF_FILL_RING = 0x100000000L;
  public static final long XDP_UMEM_PGOFF_COMPLETION_RING = 0x180000000L;

  /** What the kernel keeps free in a chunk before a received frame, after our own headroom. */
  public static final int XDP_PACKET_HEADROOM = 256;

  // Verdicts of a program (enum xdp_action) and flags of attaching it (if_link.h).
  public static final int XDP_ABORTED = 0;
  public static final int XDP_DROP = 1;
  public static final int XDP_PASS = 2;
  public static final int XDP_TX = 3;
  public static final int XDP_REDIRECT = 4;
  public static final int XDP_FLAGS_UPDATE_IF_NOEXIST = 1;
  public static final int XDP_FLAGS_SKB_MODE = 2;
  public static final int XDP_FLAGS_DRV_MODE = 4;

  /** struct xdp_desc, an entry of RX and TX: addr u64, len u32, options u32. */
  public static final int DESC_BYTES = 16;

  public static final int DESC_ADDR = 0;
  public static final int DESC_LEN = 8;
  public static final int DESC_OPTIONS = 12;

  /** Desc option: the packet goes on in the next descriptor. */
  public static final int XDP_PKT_CONTD = 1;

  /** Desc option: a struct xsk_tx_metadata lies before the frame. */
  public static final int XDP_TX_METADATA = 2;

  /** struct xsk_tx_metadata, right before a frame to send: flags u64, then the request. */
  public static final int TX_METADATA_BYTES = 24;

  public static final int TX_METADATA_FLAGS = 0;

  /** u16: where summing begins, from the frame's start. */
  public static final int TX_METADATA_CSUM_START = 8;

  /** u16: where the checksum lies, from csum_start: 16 in TCP, 6 in UDP. */
  public static final int TX_METADATA_CSUM_OFFSET = 10;

  public static final int TX_METADATA_LAUNCH_TIME = 16;
  public static final int XDP_TXMD_FLAGS_TIMESTAMP = 1;
  public static final int XDP_TXMD_FLAGS_CHECKSUM = 2;
  public static final int XDP_TXMD_FLAGS_LAUNCH_TIME = 4;

  /** struct xdp_md, what a program sees: six u32. */
  public static final int MD_BYTES = 24;

  public static final int MD_DATA = 0;
  public static final int MD_DATA_END = 4;
  public static final int MD_DATA_META = 8;
  public static final int MD_INGRESS_IFINDEX = 12;
  public static final int MD_RX_QUEUE_INDEX = 16;
  public static final int MD_EGRESS_IFINDEX = 20;

  static final int UMEM_REG_BYTES = 32;
  static final int UMEM_REG_ADDR = 0;
  static final int UMEM_REG_LEN = 8;
  static final int UMEM_REG_CHUNK_SIZE = 16;
  static final int UMEM_REG_HEADROOM = 20;
  static final int UMEM_REG_FLAGS = 24;
  static final int UMEM_REG_TX_METADATA_LEN = 28;

  static final int SOCKADDR_BYTES = 16;
  static final int SOCKADDR_FAMILY = 0;
  static final int SOCKADDR_FLAGS = 2;
  static final int SOCKADDR_IFINDEX = 4;
  static final int SOCKADDR_QUEUE_ID = 8;
  static final int SOCKADDR_SHARED_UMEM_FD = 12;

  static final int RING_OFFSET_BYTES = 32;
  static final int MMAP_OFFSETS_BYTES = 4 * RING_OFFSET_BYTES;
  static final int STATISTICS_BYTES = 48;

  private Xdp() {}

  /** A new AF_XDP socket in the calling thread's network namespace, which is where it will bind. */
  public static int socket() {
    return (int)
        NativeException.check(
            Libc.socket(Libc.AF_XDP, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, 0),
            "socket(AF_XDP)",
            "needs CAP_NET_RAW and a kernel with CONFIG_XDP_SOCKETS");
  }

  /**
   * Registers memory as the UMEM of this socket: of the first one only, others share it.
   *
   * @param address page-aligned
   * @param chunkSize 2048 or 4096
   * @param headroom bytes kept free before {@link #XDP_PACKET_HEADROOM}, may be 0
   * @param txMetadataBytes multiple of 8 below 256, 0 for none ({@link #TX_METADATA_BYTES})
   */
  public static int umemRegister(
      int fd,
      long address,
      long bytes,
      int chunkSize,
      int headroom,
      int flags,
      int txMetadataBytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reg = arena.allocate(UMEM_REG_BYTES, 8);
      reg.set(JAVA_LONG, UMEM_REG_ADDR, address);
      reg.set(JAVA_LONG, UMEM_REG_LEN, bytes);
      reg.set(JAVA_INT, UMEM_REG_CHUNK_SIZE, chunkSize);
      reg.set(JAVA_INT, UMEM_REG_HEADROOM, headroom);
      reg.set(JAVA_INT, UMEM_REG_FLAGS, flags);
      reg.set(JAVA_INT, UMEM_REG_TX_METADATA_LEN, txMetadataBytes);
      return Libc.setsockopt(fd, SOL_XDP, XDP_UMEM_REG, reg.address(), UMEM_REG_BYTES);
    }
  }

  /** Gives a ring its size, a power of two; {@code option} is one of the four {@code …_RING}. */
  public static int ringSize(int fd, int option, int entries) {
    return Libc.setsockopt(fd, SOL_XDP, option, entries);
  }

  /** How many descriptors one sendto may send; ENOPROTOOPT before Linux 6.18 is no harm. */
  public static int maxTxBudget(int fd, int descriptors) {
    return Libc.setsockopt(fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, descriptors);
  }

  /** Where a ring's parts lie in its mapping, in bytes. */
  public record RingOffsets(long producer, long consumer, long descriptors, long flags) {}

  /** The layouts of the four rings' mappings. */
  public record MmapOffsets(
      RingOffsets rx, RingOffsets tx, RingOffsets fill, RingOffsets completion) {}

  public static MmapOffsets mmapOffsets(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment offsets = arena.allocate(MMAP_OFFSETS_BYTES, 8);
      int bytes =
          (int)
              NativeException.check(
                  Libc.getsockopt(
                      fd, SOL_XDP, XDP_MMAP_OFFSETS, offsets.address(), MMAP_OFFSETS_BYTES),
                  "getsockopt(XDP_MMAP_OFFSETS)",
                  "the descriptor must be an AF_XDP socket");
      if (bytes != MMAP_OFFSETS_BYTES) {
        throw new IllegalStateException("needs Linux 5.4: ring flags are not in XDP_MMAP_OFFSETS");
      }
      return new MmapOffsets(
          ring(offsets, 0), ring(offsets, 1), ring(offsets, 2), ring(offsets, 3));
    }
  }

  private static RingOffsets ring(MemorySegment offsets, int index) {
    long at = (long) index * RING_OFFSET_BYTES;
    return new RingOffsets(
        offsets.get(JAVA_LONG, at),
        offsets.get(JAVA_LONG, at + 8),
        offsets.get(JAVA_LONG, at + 16),
        offsets.get(JAVA_LONG, at + 24));
  }

  /**
   * Binds to one queue of a device. EBUSY for up to a second after another socket on that queue has
   * closed: try again.
   *
   * @param flags with {@link #XDP_SHARED_UMEM} nothing else may be set: the rest is inherited
   * @param sharedUmemFd the bound first socket of the UMEM; 0 without the flag
   */
  public static int bindXdp(int fd, int ifIndex, int queue, int flags, int sharedUmemFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(SOCKADDR_BYTES, 8);
      address.set(JAVA_SHORT, SOCKADDR_FAMILY, (short) Libc.AF_XDP);
      address.set(JAVA_SHORT, SOCKADDR_FLAGS, (short) flags);
      address.set(JAVA_INT, SOCKADDR_IFINDEX, ifIndex);
      address.set(JAVA_INT, SOCKADDR_QUEUE_ID, queue);
      address.set(JAVA_INT, SOCKADDR_SHARED_UMEM_FD, sharedUmemFd);
      return Libc.bind(fd, address.address(), SOCKADDR_BYTES);
    }
  }

  /** Whether a bound socket got zero-copy mode. */
  public static boolean zeroCopy(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment options = arena.allocate(JAVA_INT);
      int bytes = Libc.getsockopt(fd, SOL_XDP, XDP_OPTIONS, options.address(), Integer.BYTES);
      return bytes > 0 && (options.get(JAVA_INT, 0) & XDP_OPTIONS_ZEROCOPY) != 0;
    }
  }

  /** What the kernel dropped or refused on one socket, since it was made; frames or descriptors. */
  public record Statistics(
      long rxDropped,
      long rxInvalidDescriptors,
      long txInvalidDescriptors,
      long rxRingFull,
      long rxFillRingEmpty,
      long txRingEmpty) {}

  public static Statistics statistics(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(STATISTICS_BYTES, 8);
      NativeException.check(
          Libc.getsockopt(fd, SOL_XDP, XDP_STATISTICS, s.address(), STATISTICS_BYTES),
          "getsockopt(XDP_STATISTICS)",
          "the descriptor must be an open AF_XDP socket");
      return new Statistics(
          s.get(JAVA_LONG, 0),
          s.get(JAVA_LONG, 8),
          s.get(JAVA_LONG, 16),
          s.get(JAVA_LONG, 24),
          s.get(JAVA_LONG, 32),
          s.get(JAVA_LONG, 40));
    }
  }
}
