/**
 * The daemon: what {@code gatun run} wires together and keeps alive.
 *
 * <pre>
 *   Daemon ─┬─ Interfaces      which interfaces of the machine the configuration means
 *           ├─ Dataplane       frames, tables, stages, ports, workers
 *           ├─ ControlThread   manifests and the kernel's tables into ours; the only writer
 *           ├─ Watchdog        renews the lease while all of them move  (io.gatun.worker)
 *           └─ AdminServer     answers with Reports                     (io.gatun.agent.admin)
 * </pre>
 */
@NullMarked
package io.gatun.agent.daemon;

import org.jspecify.annotations.NullMarked;
