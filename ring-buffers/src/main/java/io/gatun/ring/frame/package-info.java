/**
 * Frames: equal pieces of one native area, passed around by address.
 *
 * <pre>
 *            FrameDepot (shared, locked, one per area)
 *              │  ▲           slabs of 64 frames
 *              ▼  │
 *   FramePool of worker 0     FramePool of worker 1 …      (LIFO, no lock: the hottest frame first)
 *      take │  ▲ give
 *           ▼  │
 *      rings, vectors, ports
 * </pre>
 *
 * Frames migrate: one that came in by port A and leaves by port B completes on B, so pools belong
 * to workers and never to ports. Two sizes are in use: {@link FrameDepot#CHUNK} for AF_XDP and all
 * ordinary packets, {@link FrameDepot#SUPER_FRAME} for segments of up to 64 KiB. A frame is free
 * when it is in a pool or in the depot, and otherwise belongs to exactly one holder; with {@code
 * -Dgatun.memory.checks=true} giving a frame twice is found at once.
 */
@NullMarked
package io.gatun.ring.frame;

import org.jspecify.annotations.NullMarked;
