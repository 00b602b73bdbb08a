package io.gatun.perf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;

/**
 * What {@code iperf3 -J} says, all streams together; immutable.
 *
 * @param gigabitsPerSecond what the receiver saw, without the omitted seconds
 * @param gigabits everything that was sent, with them
 */
record IperfReport(double gigabitsPerSecond, double gigabits) {
  private static final ObjectMapper JSON = new ObjectMapper();

  static IperfReport of(String json) throws IOException {
    JsonNode report = JSON.readTree(json);
    JsonNode rate = report.path("end").path("sum_received").path("bits_per_second");
    if (!rate.isNumber()) {
      throw new IOException("iperf3: " + report.path("error").asText("no rate in its report"));
    }
    double bytes = 0;
    for (JsonNode interval : report.path("intervals")) {
      bytes += interval.path("sum").path("bytes").asDouble();
    }
    return new IperfReport(rate.asDouble() / 1e9, bytes * 8 / 1e9);
  }
}
