/**
 * The worker: takes frames from its ports, leads them through the stages and sees to it that each
 * ends in exactly one way.
 *
 * <pre>
 *   rx of every owned port ─▶ one PacketVector (≤ 256) ─▶ stage, stage, … ─▶ by verdict
 *       SEND, ANSWER ─▶ outPort: owned here ─▶ tx      owned by another worker ─▶ hand-off ring
 *       HOST         ─▶ the host's port, or dropped as no_host_port
 *       DROP         ─▶ counted, frame back to the pool
 *   then flush and reclaim, and the same again
 * </pre>
 *
 * A {@link Worker} is an Agrona agent: tests step {@code doWork()} by hand, a {@link WorkerThread}
 * runs it for real, pinned to a CPU, with an {@link Idling} for when there is nothing to do. What
 * it does can be read by any thread in its {@link WorkerCounters}; received = sent + handed off +
 * dropped, always. The {@link Watchdog} renews the lease on the kernel's interfaces for as long as
 * every worker moves or sleeps, and no longer.
 */
@NullMarked
package io.gatun.worker;

import org.jspecify.annotations.NullMarked;
