package io.gatun.agent;

import io.gatun.agent.cli.GatunCommand;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** The entry point that {@code ./gatun} calls. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    // Before picocli's annotations are read: scripts ask for the version in loops.
    if (arguments.length == 1 && arguments[0].equals("--version")) {
      System.out.println(Version.line());
      return;
    }
    System.exit(run(arguments));
  }

  /** Runs one command line and returns its exit code: 0 done, 1 failed, 2 wrong usage. */
  public static int run(String... arguments) {
    CommandLine line = GatunCommand.line(arguments);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setColorScheme(CommandLine.Help.defaultColorScheme(colour()));
    line.setParameterExceptionHandler(Main::wrongUsage);
    line.setExecutionExceptionHandler(Main::failed);
    return line.execute(arguments);
  }

  private static Ansi colour() {
    return Terminal.hasColour() ? Ansi.ON : Ansi.OFF;
  }

  private static int wrongUsage(CommandLine.ParameterException e, String[] arguments) {
    System.err.println(
        "gatun: "
            + e.getMessage()
            + "; see `"
            + e.getCommandLine().getCommandSpec().qualifiedName()
            + " --help`");
    return 2;
  }

  private static int failed(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
    if (line.getCommandSpec().root().userObject() instanceof GatunCommand root && root.verbose()) {
      e.printStackTrace();
    } else {
      String message = e.getMessage();
      System.err.println("gatun: " + (message == null ? e.toString() : message));
    }
    return e instanceof UsageException ? 2 : 1;
  }
}
