package io.gatun.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class SockperfReportTest {
  @Test
  void shouldReadPercentilesAndRoundTrips() throws IOException {
    SockperfReport report =
        SockperfReport.of(
            """
            sockperf: [Total Run] RunTime=1.000 sec; Warm up time=400 msec; SentMessages=17652; \
            ReceivedMessages=17651
            sockperf: [Valid Duration] RunTime=0.550 sec; SentMessages=6579; ReceivedMessages=6579
            sockperf: ---> percentile 99.999 = 89292.105
            sockperf: ---> percentile 99.000 = 1147.082
            sockperf: ---> percentile 50.000 =   13.600
            """);
    assertEquals(new SockperfReport(13.6, 1147.082, 17_651), report);
  }

  @Test
  void shouldQuoteWhatItDoesNotUnderstand() {
    IOException e =
        assertThrows(IOException.class, () -> SockperfReport.of("Can`t connect socket"));
    assertTrue(e.toString().contains("Can`t connect socket"), e.toString());
  }
}
