package io.gatun.agent.cli;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A completion script for fish, whose {@code complete} needs a line for each word; picocli writes
 * one for bash and zsh only. Stateless.
 */
final class FishCompletion {
  private FishCompletion() {}

  /** For {@code root} and its subcommands, of which those may have some of their own. */
  static String of(CommandSpec root) {
    StringBuilder script = new StringBuilder();
    line(script, root, "-f"); // no files but where an option wants one
    subcommands(script, root, root, "__fish_use_subcommand");
    for (CommandSpec command : commands(root)) {
      String here = seen(command.name());
      options(script, root, command, here);
      if (!commands(command).isEmpty()) {
        List<String> names = commands(command).stream().map(CommandSpec::name).toList();
        subcommands(script, root, command, here + "; and not " + seen(String.join(" ", names)));
        for (CommandSpec nested : commands(command)) {
          options(script, root, nested, here + "; and " + seen(nested.name()));
        }
      }
    }
    return script.toString();
  }

  private static List<CommandSpec> commands(CommandSpec of) {
    return of.subcommands().values().stream()
        .map(picocli.CommandLine::getCommandSpec)
        .distinct()
        .filter(command -> !command.usageMessage().hidden())
        .toList();
  }

  private static String seen(String names) {
    return "__fish_seen_subcommand_from " + names;
  }

  private static void subcommands(
      StringBuilder script, CommandSpec root, CommandSpec of, String when) {
    for (CommandSpec command : commands(of)) {
      String words = "-n " + quoted(when) + " -a " + quoted(command.name());
      line(script, root, words + described(command.usageMessage().description()));
    }
  }

  private static void options(StringBuilder script, CommandSpec root, CommandSpec of, String when) {
    for (OptionSpec option : of.options()) {
      if (option.hidden()) {
        continue;
      }
      StringBuilder words = new StringBuilder("-n ").append(quoted(when));
      for (String name : option.names()) {
        words.append(
            name.startsWith("--") ? " -l " + name.substring(2) : " -s " + name.substring(1));
      }
      line(script, root, words + argument(option) + described(option.description()));
    }
  }

  /** What may stand behind the option: nothing, a file, one of some words, or anything. */
  private static String argument(OptionSpec option) {
    if (option.arity().max() == 0) {
      return "";
    }
    Class<?> type = option.type();
    if (type == Path.class || type == File.class) {
      return " -r -F";
    }
    if (option.paramLabel().matches("[a-z]+(\\|[a-z]+)+")) {
      return " -x -a " + quoted(option.paramLabel().replace('|', ' '));
    }
    return " -x";
  }

  private static String described(String[] description) {
    return description.length == 0 ? "" : " -d " + quoted(description[0]);
  }

  private static String quoted(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }

  private static void line(StringBuilder script, CommandSpec root, String words) {
    script.append("complete -c ").append(root.name()).append(' ').append(words).append('\n');
  }
}
