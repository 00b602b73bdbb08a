/**
 * From worker to worker: one ring per ordered pair of workers, one producer, one consumer.
 *
 * <pre>
 *   address ─► tail (written by the producer)    one cache line, and an empty one after it
 *       +128 ─► head (written by the consumer)   likewise
 *       +256 ─► slot 0 │ slot 1 │ … │ slot capacity − 1
 * </pre>
 *
 * Indices run freely; a slot is {@code index & (capacity − 1)}. Both sides work in bursts: several
 * slots are written or read for one ordered store. Each side keeps a copy of the other's index and
 * looks at the real one only when the copy says that the ring is full (or empty).
 */
@NullMarked
package io.gatun.ring.handoff;

import org.jspecify.annotations.NullMarked;
