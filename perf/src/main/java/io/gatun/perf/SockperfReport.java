package io.gatun.perf;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code sockperf ping-pong --full-rtt} says; immutable.
 *
 * @param median and the other: of the round trip, in microseconds
 * @param roundTrips all of them, those of its warm-up too
 */
record SockperfReport(double median, double percentile99, long roundTrips) {
  private static final Pattern MEDIAN = Pattern.compile("percentile 50\\.000 = +([0-9.]+)");
  private static final Pattern PERCENTILE_99 = Pattern.compile("percentile 99\\.000 = +([0-9.]+)");
  private static final Pattern ROUND_TRIPS =
      Pattern.compile("\\[Total Run].*ReceivedMessages=([0-9]+)");

  static SockperfReport of(String output) throws IOException {
    return new SockperfReport(
        number(MEDIAN, output), number(PERCENTILE_99, output), (long) number(ROUND_TRIPS, output));
  }

  private static double number(Pattern pattern, String output) throws IOException {
    Matcher matcher = pattern.matcher(output);
    if (!matcher.find()) {
      throw new IOException("sockperf: nothing like " + pattern + " in: " + output.strip());
    }
    return Double.parseDouble(matcher.group(1));
  }
}
