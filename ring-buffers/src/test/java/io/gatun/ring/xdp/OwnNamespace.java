package io.gatun.ring.xdp;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/**
 * A wire in the middle of which we stand: namespaces a and b, each with a veth whose other end is
 * in a third namespace.
 *
 * <pre>  a: eth0 10.9.0.1/24 ── [ to-a  we  to-b ] ── b: eth0 10.9.0.2/24 </pre>
 */
final class OwnNamespace implements AutoCloseable {
  private final String prefix;
  private final List<String> names = new ArrayList<>();

  OwnNamespace(String test) {
    prefix = "rings-" + ProcessHandle.current().pid() + "-" + test + "-";
    try {
      for (String name : List.of("m", "a", "b")) {
        run("ip", "netns", "add", prefix + name);
        names.add(prefix + name);
      }
      for (String end : List.of("a", "b")) {
        String far = prefix + end;
        run(
            "ip",
            "-n",
            prefix + "m",
            "link",
            "add",
            "name",
            "to-" + end,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            far);
        run(
            "ip",
            "-n",
            far,
            "addr",
            "add",
            end.equals("a") ? "10.9.0.1/24" : "10.9.0.2/24",
            "dev",
            "eth0");
        run("ip", "-n", far, "link", "set", "eth0", "up");
        run("ip", "-n", prefix + "m", "link", "set", "dev", "to-" + end, "up");
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** A command line that runs in namespace {@code end}, a or b. */
  String[] in(String end, String... command) {
    List<String> line = new ArrayList<>(List.of("ip", "netns", "exec", prefix + end));
    line.addAll(Arrays.asList(command));
    return line.toArray(String[]::new);
  }

  /** Runs {@code work} on a thread of its own that is in the middle namespace, and ends with it. */
  <T> T inTheMiddle(Callable<T> work) throws Exception {
    FutureTask<T> task =
        new FutureTask<>(() -> {
          int fd = Libc.open("/run/netns/" + prefix + "m", Libc.O_RDONLY | Libc.O_CLOEXEC);
          NativeException.check(Libc.setns(fd, Libc.CLONE_NEWNET), "setns", "needs CAP_SYS_ADMIN");
          Libc.close(fd);
          return work.call();
        });
    Thread thread = new Thread(task, prefix + "middle");
    thread.start();
    return task.get();
  }

  static Process start(String... command) {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new IllegalStateException(String.join(" ", command), e);
    }
  }

  private static void run(String... command) {
    try {
      Process process = start(command);
      String output =
          new String(
              process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException(String.join(" ", command) + ": " + output);
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(String.join(" ", command), e);
    }
  }

  @Override
  public void close() {
    for (String name : names) {
      run("ip", "netns", "del", name);
    }
  }
}
