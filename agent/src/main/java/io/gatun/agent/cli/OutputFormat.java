package io.gatun.agent.cli;

/** {@code -o}: for people or for programs. */
enum OutputFormat {
  TEXT,
  JSON
}
