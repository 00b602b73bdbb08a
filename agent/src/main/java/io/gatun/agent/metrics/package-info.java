/**
 * Everything that Prometheus is told: kube-proxy's metrics under their own names and types where
 * the meaning is the same, so that its dashboards and alerts go on working, and {@code gatun_…} for
 * the rest. Most of it is read from counters and tables when it is asked for; workers know nothing
 * of it. docs/operations.md has the table.
 */
@NullMarked
package io.gatun.agent.metrics;

import org.jspecify.annotations.NullMarked;
