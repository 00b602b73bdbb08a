/**
 * What has to hold before Gatun may take a node: the machine ({@link
 * io.gatun.agent.check.MachineChecks}), the interfaces ({@link
 * io.gatun.agent.check.InterfaceChecks}), and that nobody else hooks the traffic that Gatun would
 * take away from him ({@link io.gatun.agent.check.Rivals}). {@code gatun check} says all of it, a
 * line each; {@code gatun run} refuses to start where a rival is found.
 */
@NullMarked
package io.gatun.agent.check;

import org.jspecify.annotations.NullMarked;
