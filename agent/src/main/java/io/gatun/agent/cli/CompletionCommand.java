package io.gatun.agent.cli;

import io.gatun.agent.UsageException;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code gatun completion bash|zsh|fish}: a script for the shell to source. */
@Command(
    name = "completion",
    description = "Print a completion script for bash, zsh or fish.",
    footer = {
      "",
      "Example: source <(gatun completion bash)",
      "         gatun completion fish > ~/.config/fish/completions/gatun.fish"
    })
final class CompletionCommand implements Callable<Integer> {
  @Parameters(paramLabel = "bash|zsh|fish", description = "The shell.")
  private String shell = "";

  @Override
  public Integer call() {
    CommandLine gatun = GatunCommand.line();
    System.out.print(
        switch (shell) {
          // picocli's script serves both: it loads bash completion where zsh sources it.
          case "bash", "zsh" -> AutoComplete.bash("gatun", gatun);
          case "fish" -> FishCompletion.of(gatun.getCommandSpec());
          default ->
              throw new UsageException("completion: got " + shell + ", expected bash, zsh or fish");
        });
    return 0;
  }
}
