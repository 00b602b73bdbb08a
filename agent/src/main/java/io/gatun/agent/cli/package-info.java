/** The command line, a class a command: options, help and exit codes; no work of its own. */
@NullMarked
package io.gatun.agent.cli;

import org.jspecify.annotations.NullMarked;
