package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One client port to several Services of one endpoint: their replies must not be confused. */
class SamePortIT extends OnEchoLab {
  /** And to the endpoint itself: before the others, between them, behind them. */
  @ParameterizedTest
  @ValueSource(ints = {0, 2, 5})
  void shouldCarryDataOverFiveFrontsOfOneEndpointAndToItDirectly(int place) throws Exception {
    lab.gatun("");
    lab.serve();
    List<String> targets = new ArrayList<>();
    EchoLab.FRONTS.forEach(front -> targets.add(front + ":" + EchoLab.PORT));
    targets.add(place, lab.server().address() + ":" + EchoLab.TARGET);
    List<String> words = new ArrayList<>(List.of("six", "45000", lab.client().address()));
    words.addAll(targets);
    assertEquals("18", lab.client(Duration.ofSeconds(60), words.toArray(new String[0])));
  }
}
