/**
 * Longest prefix match for IPv4 and IPv6, off-heap: one writer, many readers, no locks.
 *
 * <p>An address is matched 18 bits first, of IPv6 20, or 28 where many prefixes begin alike ({@link
 * io.gatun.fib.lpm.PagedRoot}), then 6 bits a step. The root says for each of those which node goes
 * on. A node stands for 64 slots: a bit map says where a slot's answer differs from the one before,
 * so equal neighbours share an answer (a <i>leaf</i>), and the number of set bits up to a slot is
 * the number of its leaf, which lies behind the map, mostly on the same line.
 *
 * <pre>
 *   root: 2^18, 2^20 units     node: 12 to 264 bytes        node below another: a guard before it
 *   ┌───┬───┬───┬──           ┌─────────┬──────────┐       ┌────────┬──────┬───────┬─────────┬──────────┐
 *   │ ● │ ● │ ● │             │ bit map │ leaves   │       │ prefix │ miss │ shift │ bit map │ leaves   │
 *   └─┼─┴───┴───┴──           │ 64      │ 4 bytes  │  ┌───►│ 8 bytes│ 4    │ 4     │ 64      │ 4 bytes  │
 *     └──────────────────────►└─────────┴────┼─────┘  │    └────────┴──────┴───────┴─────────┴──────────┘
 *   a leaf: a next hop, 0 for no route; or a child with the top bit set; or a lone prefix
 * </pre>
 *
 * <p>A node below another one does not go on at the next bit but where its entries begin to differ,
 * so a lone prefix costs one node however long it is. Its <i>guard</i> holds the bits that were
 * passed over; an address with others has the leaf <i>miss</i>.
 *
 * <p>In IPv4 such a prefix costs no node at all where it is alone in a slot of the root's nodes:
 * its last 8 bits fit the leaf ({@link io.gatun.fib.lpm.Lone}). Tables of many host routes become
 * half as large by it, and their answers lie on a line that was read already: what counts beyond
 * some thousand routes is how many lines a lookup touches, and whether they all fit the caches.
 *
 * <p>Many addresses are looked up node by node, not one by one: how deep an address goes is a jump
 * that no processor foresees, and a wrong guess costs the whole chain of loads before it. Here the
 * first nodes of 64 addresses are read without one, then the second nodes of those that have one.
 *
 * <p>Everything is counted from the start of one area in units of 16 bytes. When the area grows, it
 * is copied and the numbers stay.
 *
 * <p>Readers never see a change half done: a changed node is made anew beside the old one, from the
 * slot that changed up to the root, and one release store into the root's slot shows it. What was
 * replaced is handed to a {@link io.gatun.fib.lpm.Retirement}. The writer knows all prefixes as
 * they were given ({@link io.gatun.fib.lpm.Rib}): that tells what a deleted prefix uncovers.
 *
 * <p>After Poptrie (Asai and Ohara, SIGCOMM 2015) and the path compression of PATRICIA (Morrison,
 * JACM 1968).
 */
@org.jspecify.annotations.NullMarked
package io.gatun.fib.lpm;
