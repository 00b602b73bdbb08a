/**
 * The driver {@code packet}: AF_PACKET sockets that carry whole segments of up to 64 KiB, with no
 * eBPF at all. For veths, whose far ends keep their segmentation offload, and for NICs without XDP.
 *
 * <pre>
 *              pod's stack                              pod's stack
 *                  │  64 KiB segment                        ▲
 *     veth ────────┼──────────                  veth ───────┼─────────
 *                  ├─► copy to our socket ─► worker ─► socket
 *                  ▼
 *        nftables netdev ingress:  lease good? drop : on to the kernel
 * </pre>
 *
 * The kernel hands every frame to our socket first, then to the ingress hook, where one set element
 * with a time-out is the lease ({@link io.gatun.port.packet.NftLease}): while it is there the
 * kernel drops its own copy of what is ours; when it has expired, because nobody renewed it, the
 * kernel forwards again. So a process that died or hangs is replaced by the kernel after the hold,
 * as with XDP.
 *
 * <p>A frame comes with an offload header ({@link io.gatun.ffm.packet.VirtioNetHeader}) from which
 * {@code segmentSize}, the partial checksum and its place are taken, and leaves with one.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.port.packet;
