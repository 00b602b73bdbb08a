/**
 * The process: where the modules become a running node.
 *
 * <p>{@link io.gatun.agent.Main} reads the command line ({@code cli}); {@code run} concludes the
 * configuration ({@code config}) and starts the {@code daemon}, which wires ports, tables, workers
 * and the control thread; every other command either works by itself ({@code demo}, {@code lab},
 * {@code bench}) or asks a running daemon over its socket ({@code admin}).
 */
@NullMarked
package io.gatun.agent;

import org.jspecify.annotations.NullMarked;
