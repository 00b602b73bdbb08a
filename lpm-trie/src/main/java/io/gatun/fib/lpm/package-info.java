/**
 * Longest prefix match for IPv4 and IPv6, off-heap: one writer, many readers, no locks.
 *
 * <p>An address is matched 16 bits first, then 8 bits a step. Every table of a step is full: each
 * slot holds the answer for all addresses below it, or the number of the table that decides further
 * on, so a lookup is one to three loads (IPv4) and never looks back.
 *
 * <pre>
 *   root, 65,536 slots          node, 256 slots             a slot, 32 bits
 *   ┌────┬────┬────┬──          ┌────┬────┬──               0nnn…  next hop n; 0 means no route
 *   │ 7  │ ●──┼────┼──────────► │ 7  │ 9  │ …               1nnn…  node n decides
 *   └────┴────┴────┴──          └────┴────┴──
 * </pre>
 *
 * <p>The writer keeps two things that readers never see: the {@link io.gatun.fib.lpm.Rib} of all
 * prefixes, which tells what a deleted prefix uncovers, and for each slot the length of the prefix
 * that its answer came from. A slot changes by one store and a new node is filled before its parent
 * points at it, so a reader gets the answer from before the change or from after it, never a third.
 * Nodes that are no longer pointed at are handed to a {@link io.gatun.fib.lpm.Retirement}.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.fib.lpm;
