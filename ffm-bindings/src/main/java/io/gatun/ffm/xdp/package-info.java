/**
 * AF_XDP without libraries: sockets whose packets arrive in memory of ours.
 *
 * <p>A <em>UMEM</em> is an area cut into chunks, registered with the kernel. Four rings, mapped
 * from the socket, carry addresses relative to its start:
 *
 * <pre>
 *   we ── FILL: empty chunks ──────────▶ kernel      kernel ── RX: received frames ──▶ we
 *   we ── TX: frames to send ──────────▶ kernel      kernel ── COMPLETION: sent ─────▶ we
 * </pre>
 *
 * Where each ring's producer index, consumer index, flags and entries lie in its mapping is the
 * kernel's to say ({@link io.gatun.ffm.xdp.Xdp#mmapOffsets}). The order that works: socket, {@code
 * umemRegister} (first socket of a UMEM only), four ring sizes, {@code mmapOffsets}, map the rings,
 * {@code bindXdp}, then the socket into an XSKMAP. And at the end: out of the map, unmap all rings,
 * <em>then</em> close; a socket closed with its rings mapped leaves the queue busy for ever.
 * Source: {@code include/uapi/linux/if_xdp.h}, {@code net/xdp/xsk.c}.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.ffm.xdp;
