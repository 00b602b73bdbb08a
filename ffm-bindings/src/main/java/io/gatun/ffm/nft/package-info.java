/**
 * nftables without the {@code nft} program: tables, chains, rules and set elements written over
 * nfnetlink in transactions that the kernel takes whole or not at all.
 *
 * <pre>
 *   one datagram
 *   ┌───────┬──────────┬──────────┬─ … ─┬──────────┬─────┐
 *   │ begin │ new table│ new chain│     │ new rule │ end │      each an nlmsghdr, an nfgenmsg,
 *   └───────┴──────────┴──────────┴─ … ─┴──────────┴─────┘      attributes in network order
 * </pre>
 *
 * A rule is a list of expressions that work on registers: one loads something of the packet, the
 * next compares it and ends the rule when it does not hold, the last one is the verdict.
 */
@org.jspecify.annotations.NullMarked
package io.gatun.ffm.nft;
