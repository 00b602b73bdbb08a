package io.gatun.ring.xdp;

/** Numbers of include/uapi/linux/if_xdp.h, the same on every architecture. */
final class XdpOption {
  static final int SOL_XDP = 283;

  static final int XDP_MMAP_OFFSETS = 1;
  static final int XDP_RX_RING = 2;
  static final int XDP_TX_RING = 3;
  static final int XDP_UMEM_REG = 4;
  static final int XDP_UMEM_FILL_RING = 5;
  static final int XDP_UMEM_COMPLETION_RING = 6;
  static final int XDP_STATISTICS = 7;

  /** Descriptors per sendto in copy mode; recent kernels only (6.18 has it). */
  static final int XDP_MAX_TX_SKB_BUDGET = 9;

  static final int XDP_SHARED_UMEM = 1;
  static final int XDP_USE_NEED_WAKEUP = 8;

  /** UMEM flag: the field tx_metadata_len is honoured. */
  static final int XDP_UMEM_TX_METADATA_LEN = 4;

  static final long XDP_PGOFF_RX_RING = 0;
  static final long XDP_PGOFF_TX_RING = 0x8000_0000L;
  static final long XDP_UMEM_PGOFF_FILL_RING = 0x1_0000_0000L;
  static final long XDP_UMEM_PGOFF_COMPLETION_RING = 0x1_8000_0000L;

  /** struct sockaddr_xdp: family u16 @0, flags u16 @2, ifindex @4, queue @8, shared_umem_fd @12. */
  static final int SOCKADDR_BYTES = 16;

  /**
   * struct xdp_umem_reg: addr u64 @0, len u64 @8, chunk_size @16, headroom @20, flags @24,
   * tx_metadata_len @28.
   */
  static final int UMEM_REG_BYTES = 32;

  /**
   * struct xdp_mmap_offsets: {producer, consumer, desc, flags : u64} for rx, tx, fill, completion.
   */
  static final int MMAP_OFFSETS_BYTES = 128;

  private XdpOption() {}
}
