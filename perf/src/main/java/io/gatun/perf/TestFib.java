package io.gatun.perf;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * DPDK's own measurement of its tables, {@code dpdk-test-fib}: rte_fib (DIR24-8 or trie, AVX-512)
 * and rte_lpm on the same routes and addresses. It times bursts of 64 by the time-stamp counter.
 */
final class TestFib {
  static final String PROGRAM = "dpdk-test-fib";

  /** What its tables, the mempools of its RIB and a million groups of 256 entries may take. */
  static final int MEGABYTES = 3000;

  /** Of 256 entries, for what is longer than 24 bits; in IPv6 a lone prefix may need thirteen. */
  private static final int GROUPS4 = 500_000;

  private static final int GROUPS6 = 1_000_000;

  /** {@code AVG FIB add 2048}, ten times for ten parts of the table, or once for lookups. */
  private static final Pattern AVERAGE =
      Pattern.compile("AVG (FIB|LPM) (add|lookup|delete) ([0-9.]+)");

  private static final long LIMIT_SECONDS = 300;

  private final List<String> command;

  /**
   * @param withLpm also rte_lpm: takes minutes for a million nested routes, which it adds slowly
   */
  TestFib(Path routes, Path addresses, boolean ipv6, boolean withLpm) {
    command = new ArrayList<>(List.of("stdbuf", "-oL", PROGRAM, "-l", "1", "--no-pci"));
    command.addAll(List.of("--in-memory", "-m", Integer.toString(MEGABYTES)));
    command.add("--force-max-simd-bitwidth=512");
    command.addAll(List.of("--", "-f", routes.toString(), "-t", addresses.toString()));
    command.addAll(List.of("-e", "4", "-v", "v", "-g", Integer.toString(ipv6 ? GROUPS6 : GROUPS4)));
    if (ipv6) {
      command.add("-6");
    }
    if (withLpm) {
      command.add("-c");
    }
  }

  String command() {
    return String.join(" ", command.subList(2, command.size()));
  }

  /**
   * Averages in nanoseconds by what they are of, such as {@code "LPM lookup"}; ends as soon as
   * {@code last} is known.
   */
  Map<String, Double> run(String last) throws IOException {
    double hertz = timeStampHertz();
    Map<String, List<Double>> seen = new TreeMap<>();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    StringBuilder tail = new StringBuilder();
    try (BufferedReader lines = process.inputReader(StandardCharsets.US_ASCII)) {
      Thread.ofVirtual().start(() -> endAfterLimit(process));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Matcher average = AVERAGE.matcher(line);
        if (average.find()) {
          String what = average.group(1) + " " + average.group(2);
          if (seen.containsKey(last) && !what.equals(last)) {
            break;
          }
          seen.computeIfAbsent(what, _ -> new ArrayList<>())
              .add(Double.parseDouble(average.group(3)) / hertz * 1e9);
          if (what.equals(last) && last.endsWith("lookup")) {
            break;
          }
        } else if (tail.length() < 4000) {
          tail.append(line).append('\n');
        }
      }
    } finally {
      process.destroyForcibly();
    }
    if (!seen.containsKey(last)) {
      throw new IOException(
          "%s did not measure %s within %d s: %s"
              .formatted(PROGRAM, last, LIMIT_SECONDS, tail.toString().strip()));
    }
    Map<String, Double> averages = new TreeMap<>();
    seen.forEach((what, values) ->
        averages.put(
            what, values.stream().mapToDouble(Double::doubleValue).average().orElseThrow()));
    return averages;
  }

  private static void endAfterLimit(Process process) {
    try {
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The kernel calibrates BogoMIPS to twice the rate of the time-stamp counter. */
  private static double timeStampHertz() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
      if (line.startsWith("bogomips")) {
        return Double.parseDouble(line.substring(line.indexOf(':') + 1).strip()) / 2 * 1e6;
      }
    }
    throw new IOException("/proc/cpuinfo: no bogomips; the peer counts time-stamp ticks");
  }
}
