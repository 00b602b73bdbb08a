/**
 * The way out of the node: routes (prefix → adjacency number) and adjacencies (number → what to do
 * with the packet and what to write in front of it).
 *
 * <pre>
 *   destination ── Fib (longest prefix) ──► adjacency 3 ──► line: forward, port 7, MTU 1500,
 *                                                           12 bytes of MAC addresses
 * </pre>
 *
 * <p>An adjacency stands for a next hop on a link: all routes by one gateway share it, so that a
 * new MAC address is one store. {@link io.gatun.fib.RouteStage} takes a whole vector through both
 * tables, so that the cache misses of different packets overlap.
 *
 * <p>One writer, the control thread; every worker reads without locks.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.fib;
