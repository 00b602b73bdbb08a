package io.gatun.agent.metrics;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text in Prometheus' format 0.0.4, read as Prometheus would; what is not that is an exception.
 */
public final class Exposition {
  private static final Pattern SAMPLE =
      Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{.*\\})? (NaN|[-+]Inf|[-+0-9.eE]+)( [0-9]+)?");
  private static final Pattern WORD =
      Pattern.compile("\\b((?:kubeproxy|gatun|rest_client|process|go)_[a-z0-9_]+)\\b");

  private final Map<String, Double> samples = new HashMap<>();
  private final Set<String> names = new TreeSet<>();
  private final Map<String, String> types = new TreeMap<>();

  private Exposition() {}

  public static Exposition of(String text) {
    Exposition read = new Exposition();
    for (String line : text.split("\n", -1)) {
      if (line.startsWith("# TYPE ")) {
        String[] words = line.split(" ", -1);
        if (read.types.put(words[2], words[3]) != null) {
          throw new IllegalArgumentException("twice: " + line);
        }
      } else if (!line.isEmpty() && !line.startsWith("# HELP ")) {
        Matcher sample = SAMPLE.matcher(line);
        if (!sample.matches()) {
          throw new IllegalArgumentException("no sample: " + line);
        }
        read.names.add(sample.group(1));
        if (read.samples.put(line.substring(0, line.lastIndexOf(' ')), number(sample.group(3)))
            != null) {
          throw new IllegalArgumentException("twice: " + line);
        }
      }
    }
    return read;
  }

  private static double number(String text) {
    return switch (text) {
      case "+Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  /** Every name that has a sample. */
  public Set<String> names() {
    return names;
  }

  /** By metric: counter, gauge, histogram. */
  public Map<String, String> types() {
    return types;
  }

  /** Of a name with its labels as printed; NaN when it is not there. */
  public double value(String series) {
    return samples.getOrDefault(series, Double.NaN);
  }

  /** The metrics that queries ask for. */
  public static Set<String> asked(String queries) {
    Set<String> asked = new TreeSet<>();
    Matcher words = WORD.matcher(queries);
    while (words.find()) {
      asked.add(words.group(1));
    }
    return asked;
  }
}
