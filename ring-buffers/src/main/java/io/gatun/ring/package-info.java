/**
 * Where frames live and how they change hands.
 *
 * <ul>
 *   <li>{@link io.gatun.ring.frame}: fixed-size frames of native memory; one pool per worker,
 *       refilled in slabs from a depot that all workers share.
 *   <li>{@link io.gatun.ring.xdp}: AF_XDP sockets without libxdp: the shared memory (UMEM) and the
 *       four rings by which kernel and worker pass frames to each other.
 *   <li>{@link io.gatun.ring.handoff}: the ring by which one worker passes a packet to another.
 *   <li>{@link io.gatun.ring.qsbr}: how a table's writer knows that no worker still reads what it
 *       took out of the table.
 * </ul>
 *
 * Nothing here allocates after construction, and nothing on a hot call throws.
 */
@NullMarked
package io.gatun.ring;

import org.jspecify.annotations.NullMarked;
