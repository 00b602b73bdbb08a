package io.gatun.control.document;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Durations as Go and so Kubernetes writes them: 5s, 1h30m, 1.5s, 100ms, 0. */
public final class Durations {
  private static final Pattern PART =
      Pattern.compile("([0-9]{1,9}(?:\\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)");
  private static final Pattern WHOLE = Pattern.compile("(?:" + PART.pattern() + ")+");

  private Durations() {}

  /** The duration that {@code text} spells, null when it spells none. */
  public static @Nullable Duration parse(String text) {
    if (text.equals("0")) {
      return Duration.ZERO;
    }
    if (!WHOLE.matcher(text).matches()) {
      return null;
    }
    double nanos = 0;
    for (Matcher part = PART.matcher(text); part.find(); ) {
      nanos += Double.parseDouble(part.group(1)) * unit(part.group(2));
    }
    return Duration.ofNanos(Math.round(nanos));
  }

  private static double unit(String word) {
    return switch (word) {
      case "ns" -> 1;
      case "us", "µs" -> 1e3;
      case "ms" -> 1e6;
      case "s" -> 1e9;
      case "m" -> 60e9;
      default -> 3600e9;
    };
  }
}
