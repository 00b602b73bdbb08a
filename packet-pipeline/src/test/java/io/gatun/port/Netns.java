package io.gatun.port;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/** Work inside network namespaces, and the commands that make them. Stateless. */
public final class Netns {
  private Netns() {}

  /** Runs on a thread of its own inside {@code ns}. */
  public static <T> T inside(String ns, Callable<T> action) throws Exception {
    FutureTask<T> task =
        new FutureTask<>(() -> {
          int fd = Libc.open("/run/netns/" + ns, Libc.O_RDONLY | Libc.O_CLOEXEC);
          NativeException.check(fd, "open namespace " + ns, "is it there?");
          NativeException.check(Libc.setns(fd, Libc.CLONE_NEWNET), "setns", "needs CAP_SYS_ADMIN");
          Libc.close(fd);
          return action.call();
        });
    Thread.ofPlatform().start(task);
    return task.get();
  }

  /** Runs a command that must succeed; what it printed. */
  public static String run(String command) {
    Result result = attempt(command);
    if (result.code != 0) {
      throw new AssertionError(command + ": " + result.output);
    }
    return result.output;
  }

  /** How a command ended, and all it printed. */
  public record Result(int code, String output) {}

  /** Runs a command, which may fail. */
  public static Result attempt(String command) {
    try {
      Process process =
          new ProcessBuilder(command.split(" ", -1)).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), output);
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
