package io.gatun.agent.cli;

import picocli.CommandLine.Option;

/** {@code -o}: for people or for programs. */
final class Output {
  private enum Format {
    TEXT,
    JSON
  }

  @Option(
      names = {"-o", "--output"},
      paramLabel = "text|json",
      description = "Output format.")
  private Format format = Format.TEXT;

  boolean json() {
    return format == Format.JSON;
  }
}
