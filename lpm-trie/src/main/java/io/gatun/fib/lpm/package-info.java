/**
 * Longest prefix match for IPv4 and IPv6, off-heap: one writer, many readers, no locks.
 *
 * <p>An address is matched 16 bits first, then 8 bits a step. The root says for each 16 bits which
 * node goes on. A node stands for 256 slots and is one cache line: a bit map says where a slot's
 * answer differs from the one before, so equal neighbours share an answer (a <i>leaf</i>), and the
 * number of set bits up to a slot is the number of its leaf. Few leaves lie in the node's own line,
 * more of them in a block of their own. So a lookup is three loads for an address decided by its
 * first 24 bits, without a branch that depends on the table; it never looks back.
 *
 * <pre>
 *   root: 65,536 unit numbers      node: 64 bytes                               block: 16 to 1,536 bytes
 *   ┌───┬───┬───┬──                ┌────────────┬──────────┬────────┬────────┐  ┌──────────┬───────────┐
 *   │ ● │ ● │ ● │                  │ bit map    │ leaf of  │children│ inline │  │ children │ leaves    │
 *   └─┼─┴───┴───┴──                │ 4 × 64     │ bit 0 ×4 │  at    │12 bytes│  │ 4 bytes  │ 2 bytes   │
 *     └───────────────────────────►└────────────┴──────────┴────────┴────────┘  └──────────┴───────────┘
 *   a leaf, 16 bits: 0nnn… next hop n, 0 for no route; 1nnn… child n of this node decides by 8 bits more
 * </pre>
 *
 * <p>Everything is counted from the start of one area: nodes, blocks and children in units of 16
 * bytes, leaves in units of 2. When the area grows, it is copied and the numbers stay.
 *
 * <p>Readers never see a change half done: a changed node is made anew beside the old one, from the
 * slot that changed up to the root, and one release store into the root's slot shows it. What was
 * replaced is handed to a {@link io.gatun.fib.lpm.Retirement}. The writer knows all prefixes as
 * they were given ({@link io.gatun.fib.lpm.Rib}): that tells what a deleted prefix uncovers.
 *
 * <p>After Poptrie (Asai and Ohara, SIGCOMM 2015), with 8 bits a step instead of 6, so that one
 * line holds a whole /16 of the Internet's table, which is cut at /24.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.fib.lpm;
