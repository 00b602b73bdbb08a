package io.gatun.agent.cli;

import io.gatun.agent.Version;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code gatun}: the root of all commands. */
@Command(
    name = "gatun",
    description = "A userspace dataplane for Kubernetes nodes.",
    versionProvider = GatunCommand.Versions.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      RunCommand.class,
      StopCommand.class,
      QueryCommand.Status.class,
      QueryCommand.Services.class,
      QueryCommand.Drops.class,
      QueryCommand.Ports.class,
      QueryCommand.Flows.class,
      LabCommand.class,
      BenchCommand.class,
      CompletionCommand.class,
    },
    footer = {
      "",
      "Example: gatun demo",
      "         gatun run --config node.yaml --manifests manifests/",
      "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."
    })
public final class GatunCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Print stack traces.")
  private boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Print this help.")
  private boolean help;

  @Option(names = "--version", versionHelp = true, description = "Print the version.")
  private boolean version;

  public boolean verbose() {
    return verbose;
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "which command?");
  }

  static final class Versions implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {Version.line()};
    }
  }
}
