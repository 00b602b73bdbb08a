package io.gatun.perf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a benchmark found, immutable; the components are the members of the JSON object.
 *
 * @param started in ISO 8601, UTC
 * @param seconds that all of it took
 */
record Report(
    String bench,
    Map<String, Object> arguments,
    List<Figure> figures,
    Machine machine,
    String started,
    double seconds) {

  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  String json() {
    try {
      return MAPPER.writeValueAsString(this) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("report does not become JSON: " + e.getMessage(), e);
    }
  }

  String text() {
    StringBuilder text = new StringBuilder(bench).append(' ').append(arguments).append('\n');
    Set<String> peers = new LinkedHashSet<>();
    for (Figure figure : figures) {
      text.append(line(figure)).append('\n');
      if (figure.peer() != null) {
        peers.add(figure.peer().name() + ": " + figure.peer().command());
      }
    }
    peers.forEach(peer -> text.append("  ").append(peer).append('\n'));
    return text.append(
            String.format(
                Locale.ROOT,
                "  %s, %d cores, Linux %s, JDK %s, steal %.1f %%, %.1f s%n",
                machine.cpu(),
                machine.cores(),
                machine.kernel(),
                machine.jdk(),
                machine.stealPercent(),
                seconds))
        .append("  ")
        .append(machine.affected())
        .append('\n')
        .toString();
  }

  private static String line(Figure figure) {
    double low = figure.runs().stream().mapToDouble(Double::doubleValue).min().orElse(0);
    double high = figure.runs().stream().mapToDouble(Double::doubleValue).max().orElse(0);
    String line =
        String.format(
            Locale.ROOT,
            "  %-28s %10.2f %-14s (%.2f to %.2f, %d runs)",
            figure.what(),
            figure.value(),
            figure.unit(),
            low,
            high,
            figure.runs().size());
    Figure.Peer peer = figure.peer();
    if (peer != null) {
      line += String.format(Locale.ROOT, "  %s %.2f", peer.name(), peer.value());
    }
    if (figure.ratio() != null) {
      line += String.format(Locale.ROOT, ", ratio %.2f", figure.ratio());
    }
    if (figure.holds() != null) {
      line +=
          "  floor %s, goal %s, holds: %s".formatted(figure.floor(), figure.goal(), figure.holds());
    }
    return line;
  }

  /** {@code flows 1000, frameSize 64}. */
  String argumentsInWords() {
    return arguments.entrySet().stream()
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .collect(Collectors.joining(", "));
  }
}
