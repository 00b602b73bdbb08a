package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.pipeline.Verdict;
import io.gatun.port.memory.MemoryPort;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Warm, a worker stays compiled: whatever comes, nothing throws it back into the interpreter, where
 * a vector would take milliseconds.
 *
 * <p>Traffic runs in rounds until the compiler has had its say (on a busy machine that comes late)
 * and then for one round more, in which the flight recorder must see neither.
 */
class DeoptimizationTest {
  private static final String WORKER = "worker under test";
  private static final long PACKETS = 200_000;
  private static final long PATIENCE_NANOS = 300_000_000_000L;

  @TempDir Path folder;

  @Test
  void shouldNotDeoptimiseOnceWarm() throws Exception {
    try (NodeInMemory node = new NodeInMemory(20_000)) {
      node.add(MemoryPort.replaying(NodeInMemory.POD, "pod", node.pool, MixedTraffic.fromPods()));
      node.add(
          MemoryPort.replaying(
              NodeInMemory.UPLINK, "uplink", node.pool, MixedTraffic.fromOutside()));
      long start = System.nanoTime();
      int rounds = 0;
      List<String> seen;
      do {
        seen = round(node);
        rounds++;
      } while (!seen.isEmpty() && System.nanoTime() - start < PATIENCE_NANOS);
      System.out.printf("quiet after %d rounds of %,d packets%n", rounds, PACKETS);
      assertEquals(List.of(), seen, "in the last of " + rounds + " rounds");
      assertTrue(rounds > 1, "the first round must have met the compiler");
      assertTrue(node.counters().verdicts(Verdict.SEND) > 10_000, "sent");
      assertTrue(node.counters().verdicts(Verdict.ANSWER) > 1_000, "answered");
      assertTrue(node.counters().dropped() > 1_000, "dropped");
    }
  }

  /** What the recorder saw of the worker's code and thread. */
  private List<String> round(NodeInMemory node) throws Exception {
    try (Recording recording = new Recording()) {
      recording.enable("jdk.Deoptimization").withStackTrace();
      recording.enable("jdk.Compilation").withThreshold(Duration.ZERO);
      recording.start();
      FutureTask<Void> work = new FutureTask<>(() -> MixedTraffic.run(node, PACKETS), null);
      Thread thread = Thread.ofPlatform().name(WORKER).start(work);
      work.get();
      thread.join();
      recording.stop();
      Path file = folder.resolve("round.jfr");
      recording.dump(file);
      return events(file);
    }
  }

  private static List<String> events(Path file) throws IOException {
    List<String> seen = new ArrayList<>();
    for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
      if (event.getEventType().getName().equals("jdk.Compilation")) {
        if (method(event).startsWith("io.gatun.")) {
          seen.add("compiled " + method(event));
        }
      } else if (event.getThread("eventThread").getJavaName().equals(WORKER)) {
        seen.add(
            "deoptimised for %s: %s line %d"
                .formatted(event.getString("reason"), method(event), event.getInt("lineNumber")));
      }
    }
    return seen;
  }

  private static String method(RecordedEvent event) {
    RecordedMethod method = event.getValue("method");
    return method == null ? "" : method.getType().getName() + "." + method.getName();
  }
}
