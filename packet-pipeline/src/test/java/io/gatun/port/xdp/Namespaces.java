package io.gatun.port.xdp;

import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/** Three network namespaces a – g – b, bridged in the middle by the kernel; gone when closed. */
final class Namespaces implements AutoCloseable {
  static final byte[] MAC_A = {2, 0, 0, 0, 1, 1};
  static final byte[] MAC_B = {2, 0, 0, 0, 1, 2};

  final String prefix = "ports" + ProcessHandle.current().pid();
  final String a = prefix + "-a";
  final String b = prefix + "-b";
  final String g = prefix + "-g";

  Namespaces() {
    for (String ns : new String[] {a, b, g}) {
      run("ip netns add " + ns);
      run("ip -n " + ns + " link set lo up");
    }
    end(a, "ga", "02:00:00:00:01:01", "02:00:00:00:00:0a", "10.77.0.1/24");
    end(b, "gb", "02:00:00:00:01:02", "02:00:00:00:00:0b", "10.77.0.2/24");
    run("ip -n " + g + " link add br0 type bridge");
    run("ip -n " + g + " link set br0 up");
    run("ip -n " + g + " link set ga master br0");
    run("ip -n " + g + " link set gb master br0");
  }

  private void end(String ns, String name, String outerMac, String innerMac, String address) {
    run(
        "ip -n %s link add %s address %s type veth peer name eth0 address %s netns %s"
            .formatted(g, name, outerMac, innerMac, ns));
    run("ip -n %s link set %s up".formatted(g, name));
    run("ip -n %s addr add %s dev eth0".formatted(ns, address));
    run("ip -n %s link set eth0 up".formatted(ns));
  }

  /** Runs on a thread of its own inside {@code ns}. */
  static <T> T inside(String ns, Callable<T> action) throws Exception {
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

  static String run(String command) {
    Result result = attempt(command);
    if (result.code != 0) {
      throw new AssertionError(command + ": " + result.output);
    }
    return result.output;
  }

  record Result(int code, String output) {}

  static Result attempt(String command) {
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

  /** Sends {@code count} ICMP echoes from a to b; true when at most one is lost, and not all. */
  boolean ping(int count) throws Exception {
    return inside(
        a,
        () -> {
          int lost = 0;
          for (int i = 0; i < count && lost < 2; i++) {
            lost += InetAddress.ofLiteral("10.77.0.2").isReachable(500) ? 0 : 1;
          }
          return lost < 2 && lost < count;
        });
  }

  @Override
  public void close() {
    for (String ns : new String[] {a, b, g}) {
      attempt("ip netns del " + ns);
    }
  }
}
