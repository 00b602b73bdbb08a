package io.gatun.agent.cli;

import io.gatun.agent.UsageException;
import io.gatun.agent.Version;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code gatun}: the root of all commands. */
@Command(
    name = "gatun",
    description = "A userspace dataplane for Kubernetes nodes.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = GatunCommand.Versions.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      RunCommand.class,
      StopCommand.class,
      CheckCommand.class,
      ExplainCommand.class,
      QueryCommand.Status.class,
      QueryCommand.Services.class,
      QueryCommand.Endpoints.class,
      QueryCommand.Drops.class,
      QueryCommand.Ports.class,
      QueryCommand.Routes.class,
      QueryCommand.Neighbours.class,
      QueryCommand.Tunnels.class,
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
  @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Print stack traces.")
  private boolean verbose;

  public boolean verbose() {
    return verbose;
  }

  @Override
  public void run() {
    throw new UsageException("which command? See `gatun --help`");
  }

  static final class Versions implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {Version.line()};
    }
  }
}
