package io.gatun.perf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
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

  /** Processor time so far: all of it and what was stolen, in the kernel's ticks. */
  record Time(long all, long stolen) {
    /** Fields of the first line of /proc/stat, proc_stat(5): steal is the eighth. */
    private static final int STEAL = 8;

    static Time now() {
      String[] fields = read("/proc/stat").lines().findFirst().orElse("").split(" +");
      long all = 0;
      for (int i = 1; i <= STEAL && i < fields.length; i++) {
        all += Long.parseLong(fields[i]);
      }
      return new Time(all, fields.length > STEAL ? Long.parseLong(fields[STEAL]) : 0);
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
        Runtime.getRuntime().availableProcessors(),
        read("/proc/sys/kernel/osrelease").strip(),
        System.getProperty("java.vm.version"),
        Time.now().stealPercentSince(start),
        vulnerabilitiesHere());
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
