/**
 * Quiescent-state-based reclamation: when may a table's writer free what it has replaced?
 *
 * <p>A worker holds no pointer into a table between two of its duty cycles: there it is
 * <em>quiescent</em>, and says so once a cycle with one store. The writer unlinks a record, then
 * <em>retires</em> it; once every worker has been quiescent after that, nobody can still see the
 * record and it is freed. A worker that sleeps in poll(2) would hold everything up, so it goes
 * <em>offline</em> before it sleeps and <em>online</em> after it, and must then read every root
 * pointer afresh.
 *
 * <pre>
 *   writer   unlink R · epoch 7→8 · retire(R, 8)                    all seen ≥ 8: free R
 *   worker 0 ────── quiescent: seen 7 ──────── quiescent: seen 8 ───────►
 *   worker 1 ──── offline: seen 0 (does not count) ──── online: seen 8 ─►
 * </pre>
 *
 * Readers pay no atomic instruction and share no line; the one full fence is paid on waking up.
 * After P. McKenney's and J. Walpole's QSBR as DPDK's {@code rte_rcu_qsbr} has it.
 */
@NullMarked
package io.gatun.ring.qsbr;

import org.jspecify.annotations.NullMarked;
