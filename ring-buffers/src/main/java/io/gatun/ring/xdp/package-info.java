/**
 * AF_XDP without libxdp: four rings, one memory.
 *
 * <pre>
 *                 Umem: chunks of native memory, known to worker and kernel
 *    worker ──── FillRing: empty chunks ────► kernel
 *    worker ◄─── RxRing: received packets ─── kernel
 *    worker ──── TxRing: packets to send ───► kernel
 *    worker ◄─── CompletionRing: sent chunks─ kernel
 * </pre>
 *
 * Each ring is an array and two indices in memory shared with the kernel: one side produces, the
 * other consumes, with the algorithm of libxdp's {@code xsk.h} ({@link ProducerRing}, {@link
 * ConsumerRing}). A {@link XdpSocket} is one (device, queue) with its four rings, all used by one
 * worker thread. All sockets stand on the one {@link Umem}, so a packet received by one is sent by
 * another by passing its address.
 *
 * <p>A chunk as the kernel delivers it: 256 bytes (XDP_PACKET_HEADROOM) are free in front of the
 * packet, which then has {@code chunk − 256} bytes at most; transmit metadata and encapsulation go
 * there.
 *
 * <p>Sources: kernel Documentation/networking/af_xdp.rst and xdp-metadata.rst, net/xdp/xsk.c,
 * include/uapi/linux/if_xdp.h.
 */
@NullMarked
package io.gatun.ring.xdp;

import org.jspecify.annotations.NullMarked;
