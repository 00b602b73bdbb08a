/**
 * Network interfaces as ports, by AF_XDP.
 *
 * <pre>
 *   frame arrives ─▶ stub (XDP) ─┬─ lease run out, or not ours ─▶ the kernel's stack
 *                                └─ ours ─▶ XSKMAP[queue] ─┬─ socket ─▶ RX ring ─▶ worker
 *                                                          └─ none ─▶ dropped: the hold
 * </pre>
 *
 * The {@link Stub} is the only program in the kernel: a fixed few dozen instructions, the same for
 * every port of a {@link XdpRole}, that know what is not ours and nothing of Services. What
 * outlives the process is pinned under {@code $RUN/bpf}, on a file system of our own ({@link
 * Pins}):
 *
 * <pre>
 *   $RUN/bpf/lease               u64: nanoseconds of CLOCK_MONOTONIC until which frames are ours
 *   $RUN/bpf/own4, own6, claims  what of an uplink's frames is the node's own ({@link OwnTraffic})
 *   $RUN/bpf/&lt;interface&gt;/xsks    queue → socket
 *   $RUN/bpf/&lt;interface&gt;/stub    the program, for comparison
 *   $RUN/bpf/&lt;interface&gt;/link    the attachment
 * </pre>
 *
 * A successor opens the pins, compares the program and puts its sockets into the map: the interface
 * is never attached anew, because that resets a NIC's queues.
 */
@NullMarked
package io.gatun.port.xdp;

import org.jspecify.annotations.NullMarked;
