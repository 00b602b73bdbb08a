package io.gatun.agent.host;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.gatun.agent.check.Program;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** iproute2's {@code ip} and {@code bridge} in the network namespace of this process; stateless. */
final class Ip {
  private static final Pattern COMPLAINT =
      Pattern.compile("(?s)(.*?)Command failed -:(\\d+)\\s*", Pattern.MULTILINE);

  /** What is there already, or already gone, is as it is wanted. */
  private static final Pattern HARMLESS =
      Pattern.compile(
          "File exists|No such (process|file)|Cannot find device|not found|does not exist");

  private static final ObjectMapper JSON = new ObjectMapper();

  private Ip() {}

  /**
   * Runs all lines with one process, also after one has failed; returns a complaint for each that
   * did. What was done already is no failure.
   */
  static List<String> batch(boolean ipv6, List<String> lines) {
    return batch(List.of("ip", ipv6 ? "-6" : "-4"), lines);
  }

  /** The same by {@code bridge}. */
  static List<String> bridge(List<String> lines) {
    return batch(List.of("bridge"), lines);
  }

  private static List<String> batch(List<String> program, List<String> lines) {
    if (lines.isEmpty()) {
      return List.of();
    }
    String said = run(program, lines);
    List<String> complaints = new ArrayList<>();
    Matcher complaint = COMPLAINT.matcher(said);
    while (complaint.find()) {
      int line = Integer.parseInt(complaint.group(2));
      String reason = complaint.group(1).strip().replace('\n', ' ');
      if (!HARMLESS.matcher(reason).find() && line >= 1 && line <= lines.size()) {
        complaints.add(
            "%s %s: %s".formatted(String.join(" ", program), lines.get(line - 1), reason));
      }
    }
    return complaints;
  }

  /** What {@code words}, a command with the option {@code -j}, print; nothing where that fails. */
  static JsonNode json(String... words) {
    String text = Program.output(words);
    try {
      return text == null || text.isBlank() ? MissingNode.getInstance() : JSON.readTree(text);
    } catch (JsonProcessingException e) {
      return MissingNode.getInstance();
    }
  }

  private static String run(List<String> program, List<String> lines) {
    List<String> words = new ArrayList<>(program);
    words.addAll(List.of("-force", "-batch", "-"));
    try {
      Process process =
          new ProcessBuilder(words).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
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
      throw new UncheckedIOException("cannot run " + program.getFirst() + ": install iproute2", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("cannot read what ip says", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while ip ran", e);
    }
  }
}
