package io.gatun.perf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a figure was measured on.
 *
 * @param stealPercent processor time that the hypervisor gave to others while we measured
 * @param vulnerabilities the kernel's mitigations by name: they cost differently
 */
record Machine(
    String cpu,
    int cores,
    String kernel,
    String jdk,
    double stealPercent,
    Map<String, String> vulnerabilities) {

  /** Processor time so far: all of it, what was idle and what was stolen, in ticks. */
  record Time(long all, long idle, long stolen) {
    // Fields of the first line of /proc/stat, proc_stat(5).
    private static final int IDLE = 4;
    private static final int IO_WAIT = 5;
    private static final int STEAL = 8;

    /** USER_HZ, in which the kernel counts them: 100 everywhere but on alpha. */
    private static final long TICK_NANOS = 10_000_000;

    static Time now() {
      String[] fields = read("/proc/stat").lines().findFirst().orElse("").split(" +");
      long all = 0;
      for (int i = 1; i <= STEAL && i < fields.length; i++) {
        all += Long.parseLong(fields[i]);
      }
      long idle = Long.parseLong(fields[IDLE]) + Long.parseLong(fields[IO_WAIT]);
      return new Time(all, idle, fields.length > STEAL ? Long.parseLong(fields[STEAL]) : 0);
    }

    /** Nanoseconds in which some core worked, for whomever. */
    long busyNanos() {
      return (all - idle - stolen) * TICK_NANOS;
    }

    double stealPercentSince(Time start) {
      long passed = all - start.all;
      return passed == 0 ? 0 : Math.round(1000.0 * (stolen - start.stolen) / passed) / 10.0;
    }
  }

  /** This machine, measured on since {@code start}. */
  static Machine since(Time start) {
    String cpu =
        read("/proc/cpuinfo")
            .lines()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse("unknown");
    return new Machine(
        cpu,
        online(),
        read("/proc/sys/kernel/osrelease").strip(),
        System.getProperty("java.vm.version"),
        Time.now().stealPercentSince(start),
        vulnerabilitiesHere());
  }

  /** All that are online: not only those that this process has left to itself. */
  private static int online() {
    return (int) read("/proc/stat").lines().filter(line -> line.matches("cpu[0-9].*")).count();
  }

  /** The vulnerabilities that cost something here or are open, in a line. */
  String affected() {
    String named =
        vulnerabilities.entrySet().stream()
            .filter(entry -> !entry.getValue().equals("Not affected"))
            .map(entry -> entry.getKey() + " " + entry.getValue().split("[:;]", 2)[0])
            .collect(Collectors.joining(", "));
    return "vulnerabilities: " + (named.isEmpty() ? "none" : named);
  }

  private static Map<String, String> vulnerabilitiesHere() {
    Path folder = Path.of("/sys/devices/system/cpu/vulnerabilities");
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      files.forEach(
          file -> found.put(file.getFileName().toString(), read(file.toString()).strip()));
    } catch (IOException absent) {
      return Map.of(); // not every architecture has the folder
    }
    return found;
  }

  private static String read(String file) {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
