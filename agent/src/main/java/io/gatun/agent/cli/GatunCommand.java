package io.gatun.agent.cli;

import io.gatun.agent.UsageException;
import io.gatun.agent.Version;
import java.util.LinkedHashMap;
import java.util.Map;
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
    footer = {
      "",
      "Example: gatun demo",
      "         gatun run --config node.yaml --manifests manifests/",
      "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."
    })
public final class GatunCommand implements Runnable {
  @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Print stack traces.")
  private boolean verbose;

  /** By their names, in the order in which help lists them. */
  private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

  static {
    COMMANDS.put("demo", DemoCommand.class);
    COMMANDS.put("run", RunCommand.class);
    COMMANDS.put("stop", StopCommand.class);
    COMMANDS.put("check", CheckCommand.class);
    COMMANDS.put("explain", ExplainCommand.class);
    COMMANDS.put("status", QueryCommand.Status.class);
    COMMANDS.put("services", QueryCommand.Services.class);
    COMMANDS.put("endpoints", QueryCommand.Endpoints.class);
    COMMANDS.put("drops", QueryCommand.Drops.class);
    COMMANDS.put("ports", QueryCommand.Ports.class);
    COMMANDS.put("routes", QueryCommand.Routes.class);
    COMMANDS.put("neighbours", QueryCommand.Neighbours.class);
    COMMANDS.put("tunnels", QueryCommand.Tunnels.class);
    COMMANDS.put("flows", QueryCommand.Flows.class);
    COMMANDS.put("lab", LabCommand.class);
    COMMANDS.put("bench", BenchCommand.class);
    COMMANDS.put("completion", CompletionCommand.class);
  }

  /**
   * Reads command lines. To take all commands' annotations apart takes a tenth of a second of a
   * daemon's start, so where the first word is a command it has that one alone.
   */
  public static CommandLine line(String... arguments) {
    CommandLine line = new CommandLine(new GatunCommand());
    Class<?> meant = arguments.length == 0 ? null : COMMANDS.get(arguments[0]);
    if (meant != null) {
      line.addSubcommand(meant);
    } else {
      COMMANDS.values().forEach(line::addSubcommand);
    }
    return line;
  }

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
