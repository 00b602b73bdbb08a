package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Datagrams that the kernels fragment, through a Service and back. */
class FragmentsIT extends OnEchoLab {
  @ParameterizedTest
  @CsvSource({"10.96.1.0", "fd00:96::1:0"})
  void shouldCarryLargeDatagramsBothWays(String front) throws Exception {
    lab.gatun("");
    lab.serve();
    for (String bytes : new String[] {"100", "4000", "60000"}) {
      assertEquals(
          "50",
          lab.client(
              Duration.ofSeconds(200),
              "datagrams",
              front,
              Integer.toString(EchoLab.PORT),
              bytes,
              "50"),
          bytes + " bytes");
    }
  }
}
