package io.gatun.agent.cli;

import io.gatun.agent.UsageException;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code gatun completion bash|zsh}: a script for the shell to source. */
@Command(
    name = "completion",
    description = "Print a completion script for bash or zsh.",
    footer = {"", "Example: source <(gatun completion bash)"})
final class CompletionCommand implements Callable<Integer> {
  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  private String shell = "";

  @Override
  public Integer call() {
    // picocli's script serves both: it loads bash completion where zsh sources it.
    if (!shell.equals("bash") && !shell.equals("zsh")) {
      throw new UsageException("completion: got " + shell + ", expected bash or zsh");
    }
    System.out.print(AutoComplete.bash("gatun", new CommandLine(new GatunCommand())));
    return 0;
  }
}
