package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.regex.Pattern;

/** A daemon that this process started, seen from outside: by /proc. */
final class DaemonProcess {
  /** What its memory is for. */
  enum Kind {
    /** Frames of AF_XDP, and super-frames. */
    FRAMES,
    /** The Java heap. */
    HEAP,
    /** The flow file. */
    FLOWS,
    /** Programs and libraries, classes and the JVM's archives of them. */
    FILES,
    /** Tables, the JVM's own, compiled code. */
    REST
  }

  private static final Pattern MAPPING =
      Pattern.compile("[0-9a-f]+-[0-9a-f]+ \\S+ \\S+ \\S+ \\d+\\s*(.*)");

  private static final Pattern COMPILER = Pattern.compile("C[12] Compiler");

  private final ProcessHandle process;

  private DaemonProcess(ProcessHandle process) {
    this.process = process;
  }

  static DaemonProcess of(NodeDataplane.Running running) throws IOException {
    return new DaemonProcess(
        ProcessHandle.of(running.pid())
            .orElseThrow(() -> new IllegalStateException("the daemon has ended")));
  }

  /** Resident bytes of the process that its launcher keeps beside it; 0 where there is none. */
  long standby() {
    return process
        .parent()
        .map(launcher ->
            launcher
                .children()
                .filter(child -> !child.equals(process))
                .mapToLong(DaemonProcess::residentOrNothing)
                .max()
                .orElse(0))
        .orElse(0L);
  }

  private Path proc(String file) {
    return Path.of("/proc", Long.toString(process.pid()), file);
  }

  /** As {@code kill -9} does. */
  void kill() {
    process.destroyForcibly();
  }

  /** proc_pid_stat(5): utime and stime, in hundredths of a second, behind the name in brackets. */
  long ticks() throws IOException {
    String stat = Files.readString(proc("stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
  }

  /** Has {@code work} done, {@code most} times at most, until compilers are a hundredth of it. */
  void awaitCompilers(Work work, int most) throws IOException {
    long started = System.nanoTime();
    long before = compiling();
    for (int round = 0; round < most; round++) {
      work.run();
      long now = System.nanoTime();
      long compiled = compiling();
      if (compiled - before < (now - started) / 100) {
        return;
      }
      started = now;
      before = compiled;
    }
    throw new IOException("the daemon still compiles after %,d rounds".formatted(most));
  }

  /** Nanoseconds for which its compilers have run; proc_pid_schedstat(5), in the threads' names. */
  private long compiling() throws IOException {
    long nanos = 0;
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(proc("task"))) {
      for (Path task : tasks) {
        if (COMPILER.matcher(Files.readString(task.resolve("comm"))).lookingAt()) {
          String schedule = Files.readString(task.resolve("schedstat"));
          nanos += Long.parseLong(schedule.substring(0, schedule.indexOf(' ')));
        }
      }
    }
    return nanos;
  }

  /** Resident bytes. */
  long resident() throws IOException {
    return resident(process);
  }

  /** Resident bytes, by what they are for: proc_pid_smaps(5). */
  Map<Kind, Long> memory() throws IOException {
    Map<Kind, Long> memory = new EnumMap<>(Kind.class);
    Kind kind = Kind.REST;
    for (String line : Files.readAllLines(proc("smaps"))) {
      var mapping = MAPPING.matcher(line);
      if (mapping.matches()) {
        kind = kind(mapping.group(1));
      } else if (line.startsWith("Rss:")) {
        memory.merge(kind, kilobytes(line), Long::sum);
      }
    }
    return memory;
  }

  /** By the name of what is mapped. */
  static Kind kind(String name) {
    if (name.startsWith("/memfd:gatun ")) {
      return Kind.FRAMES;
    }
    if (name.startsWith("/memfd:java_heap")) {
      return Kind.HEAP;
    }
    if (name.endsWith("/flows")) {
      return Kind.FLOWS;
    }
    return name.startsWith("/") ? Kind.FILES : Kind.REST;
  }

  private static long residentOrNothing(ProcessHandle process) {
    try {
      return resident(process);
    } catch (IOException e) {
      return 0; // has ended
    }
  }

  /** proc_pid_status(5): {@code VmRSS: 1234 kB}; bytes. */
  private static long resident(ProcessHandle process) throws IOException {
    Path status = Path.of("/proc", Long.toString(process.pid()), "status");
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("VmRSS:")) {
        return kilobytes(line);
      }
    }
    return 0;
  }

  private static long kilobytes(String line) {
    return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
  }
}
