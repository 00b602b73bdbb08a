package io.gatun.agent.cli;

import io.gatun.agent.RunDirectory;
import io.gatun.agent.admin.AdminClient;
import io.gatun.agent.daemon.Leftovers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun stop}: everything back to the kernel, also when the daemon is already dead. */
@Command(
    name = "stop",
    description = "Hand everything to the kernel and undo every link, rule, route and pin.",
    footer = {"", "Example: gatun stop"})
final class StopCommand implements Callable<Integer> {
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  @Option(names = "--socket", paramLabel = "FILE", description = "The daemon's socket.")
  private @Nullable Path socket;

  @Override
  public Integer call() throws IOException, InterruptedException {
    RunDirectory run = RunDirectory.current();
    Path path = socket == null ? run.socket() : socket;
    if (AdminClient.answers(path)) {
      AdminClient.ask(path, "stop");
      long giveUp = System.nanoTime() + PATIENCE_NANOS;
      while (AdminClient.answers(path)) {
        if (System.nanoTime() > giveUp) {
          System.err.println(
              "gatun: the daemon did not end within 10 s; it is killed, its pins are taken away");
          break;
        }
        Thread.sleep(20);
      }
    }
    // Also when it answered: a daemon that was killed while it stopped may have left something.
    int undone = Leftovers.undo(run);
    System.out.println(
        undone == 0
            ? "stopped, nothing left behind"
            : "stopped, " + undone + " leftover pins and settings undone");
    return 0;
  }
}
