package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class IperfReportTest {
  @Test
  void shouldReadRateAndEverythingSent() throws IOException {
    IperfReport report =
        IperfReport.of(
            """
            {"intervals": [{"sum": {"bytes": 125000000, "omitted": true}},
                           {"sum": {"bytes": 250000000, "omitted": false}}],
             "end": {"sum_received": {"bits_per_second": 2.0e9}}}
            """);
    assertEquals(2.0, report.gigabitsPerSecond());
    assertEquals(3.0, report.gigabits());
  }

  @Test
  void shouldSayWhatIperfComplainedOf() {
    IOException e =
        assertThrows(
            IOException.class,
            () -> IperfReport.of("{\"error\": \"unable to connect to server\"}"));
    assertTrue(e.toString().contains("unable to connect"), e.toString());
    assertThrows(IOException.class, () -> IperfReport.of("iperf3: no such option"));
  }
}
