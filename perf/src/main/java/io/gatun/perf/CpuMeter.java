package io.gatun.perf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Processor time of this process and of all that it starts while the meter is open, over all cores;
 * for one thread.
 *
 * <p>Both are put into a cgroup of their own, whose clock the kernel keeps in nanoseconds. It
 * counts the network's soft interrupts too: those that a sender runs at the end of its system call
 * are charged to the sender, and the rest is done by the kernel's {@code ksoftirqd} threads, whose
 * time is added. So what else runs on the machine does not count. Where no cgroup can be made, the
 * whole machine's busy time stands in for it.
 */
final class CpuMeter implements AutoCloseable {
  private static final Path PROC = Path.of("/proc");

  /** Whose time is measured, as a report says it. */
  private final String scope;

  private final Clock clock;
  private final Cleanup cleanup;

  /** Nanoseconds of processor time so far. */
  private interface Clock {
    long nanos() throws IOException;
  }

  private CpuMeter(String scope, Clock clock, Cleanup cleanup) {
    this.scope = scope;
    this.clock = clock;
    this.cleanup = cleanup;
  }

  static CpuMeter open() throws IOException {
    Path root = mountPoint("cgroup2");
    if (root == null) {
      return wholeMachine();
    }
    long pid = ProcessHandle.current().pid();
    Path group = root.resolve("gatun-bench-" + pid);
    Path before = root.resolve(ownGroup());
    try {
      Files.createDirectory(group);
      Files.writeString(group.resolve("cgroup.procs"), Long.toString(pid));
      Path stat = group.resolve("cpu.stat");
      List<Path> softirqs = softirqThreads();
      return new CpuMeter(
          "processes of the benchmark and ksoftirqd",
          () -> usage(stat) + onCpu(softirqs),
          new Cleanup(() -> leave(group, before), "rmdir " + group));
    } catch (IOException refused) {
      Files.deleteIfExists(group);
      return wholeMachine();
    }
  }

  private static CpuMeter wholeMachine() {
    return new CpuMeter(
        "whole machine", () -> Machine.Time.now().busyNanos(), new Cleanup(() -> {}, "nothing"));
  }

  String scope() {
    return scope;
  }

  /** Nanoseconds of processor time so far. */
  long nanos() throws IOException {
    return clock.nanos();
  }

  private static @Nullable Path mountPoint(String type) throws IOException {
    for (String line : Files.readAllLines(PROC.resolve("self/mounts"))) {
      String[] fields = line.split(" ", -1);
      if (fields[2].equals(type)) {
        return Path.of(fields[1]);
      }
    }
    return null;
  }

  /** cgroups(7): the line {@code 0::/path} is that of version 2. */
  private static Path ownGroup() throws IOException {
    for (String line : Files.readAllLines(PROC.resolve("self/cgroup"))) {
      if (line.startsWith("0::/")) {
        return Path.of(line.substring("0::/".length()));
      }
    }
    return Path.of("");
  }

  /** The first line of cpu.stat, which every group has: {@code usage_usec 1234}. */
  private static long usage(Path stat) throws IOException {
    try (Stream<String> lines = Files.lines(stat)) {
      String first = lines.findFirst().orElse("");
      if (!first.startsWith("usage_usec ")) {
        throw new IOException(stat + ": expected usage_usec, got: " + first);
      }
      return Long.parseLong(first.substring("usage_usec ".length())) * 1000;
    }
  }

  private static List<Path> softirqThreads() throws IOException {
    try (Stream<Path> processes = Files.list(PROC)) {
      return processes
          .filter(process -> Character.isDigit(process.getFileName().toString().charAt(0)))
          .filter(CpuMeter::isSoftirqThread)
          .map(process -> process.resolve("schedstat"))
          .toList();
    }
  }

  private static boolean isSoftirqThread(Path process) {
    try {
      return Files.readString(process.resolve("comm")).startsWith("ksoftirqd/");
    } catch (IOException ended) {
      return false;
    }
  }

  /** The first number of schedstat is the time on a processor, in nanoseconds. */
  private static long onCpu(List<Path> schedstats) throws IOException {
    long nanos = 0;
    for (Path schedstat : schedstats) {
      nanos += Long.parseLong(Files.readString(schedstat).split(" ", 2)[0]);
    }
    return nanos;
  }

  /** Goes back to the group it came from; what still runs in the other goes with it. */
  private static void leave(Path group, Path before) throws IOException {
    if (!Files.exists(group)) {
      return;
    }
    for (String pid : Files.readAllLines(group.resolve("cgroup.procs"))) {
      if (ProcessHandle.of(Long.parseLong(pid)).isPresent()) {
        Files.writeString(before.resolve("cgroup.procs"), pid);
      }
    }
    Files.deleteIfExists(group);
  }

  @Override
  public void close() throws IOException {
    cleanup.close();
  }
}
