package io.gatun.agent.host;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** iproute2's {@code ip} in the network namespace of this process; stateless. */
final class Ip {
  private static final Pattern COMPLAINT =
      Pattern.compile("(?s)(.*?)Command failed -:(\\d+)\\s*", Pattern.MULTILINE);

  /** What is there already, or already gone, is as it is wanted. */
  private static final Pattern HARMLESS =
      Pattern.compile(
          "File exists|No such (process|file)|Cannot find device|not found|does not exist");

  private Ip() {}

  /**
   * Runs all lines with one process, also after one has failed; returns a complaint for each that
   * did. What was done already is no failure.
   */
  static List<String> batch(boolean ipv6, List<String> lines) {
    if (lines.isEmpty()) {
      return List.of();
    }
    String said = run(ipv6, lines);
    List<String> complaints = new ArrayList<>();
    Matcher complaint = COMPLAINT.matcher(said);
    while (complaint.find()) {
      int line = Integer.parseInt(complaint.group(2));
      String reason = complaint.group(1).strip().replace('\n', ' ');
      if (!HARMLESS.matcher(reason).find() && line >= 1 && line <= lines.size()) {
        complaints.add("ip %s%s: %s".formatted(ipv6 ? "-6 " : "", lines.get(line - 1), reason));
      }
    }
    return complaints;
  }

  private static String run(boolean ipv6, List<String> lines) {
    try {
      Process process =
          new ProcessBuilder("ip", ipv6 ? "-6" : "-4", "-force", "-batch", "-")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      CompletableFuture<byte[]> errors =
          CompletableFuture.supplyAsync(() -> {
            try {
              return process.getErrorStream().readAllBytes();
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
      try (var input = process.getOutputStream()) {
        input.write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
      }
      process.waitFor();
      return new String(errors.get(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot run ip: install iproute2", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("cannot read what ip says", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while ip ran", e);
    }
  }
}
