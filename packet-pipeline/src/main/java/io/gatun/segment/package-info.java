/**
 * Whole segments cut into packets, and packets put together into whole segments, in software.
 *
 * <pre>
 *   super-frame                                        frames of the way out's size
 *   │ headers │ mss │ mss │ mss │ rest │   ─ cut ─►    │ headers │ mss │  │ headers │ mss │ … │ headers │ rest │
 *                                        ◄─ join ─
 * </pre>
 *
 * A super-frame is one packet to every stage: translated, routed and counted once. It is cut by the
 * port that cannot carry it ({@link io.gatun.segment.Segmenter}), after its headers are what they
 * are to be. What arrives in pieces is joined on its way to a port that carries super-frames
 * ({@link io.gatun.segment.CoalesceStage}), so that the receiving stack, too, works once for many
 * packets. Neither changes the stream: what is cut and joined again is the same bytes under the
 * same headers.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.segment;
