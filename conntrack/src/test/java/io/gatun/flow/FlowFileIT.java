package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.ring.qsbr.Qsbr;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** {@code kill -9} in the middle of a storm of insertions and removals by two threads. */
class FlowFileIT {
  private static final int FLOWS = 20_000;

  /** Flows below this number are inserted before the storm and never removed. */
  private static final int STEADY = 1000;

  private static final int ROUNDS = 12;

  /** However long a busy machine takes for all rounds. */
  private static final FlowTimeouts PATIENT = FlowTimeouts.of(Map.of(FlowState.UDP_NEW, 24 * 3600));

  /** The process that is killed. */
  static final class Storm {
    private Storm() {}

    public static void main(String[] args) throws IOException {
      Path directory = Path.of(args[0]);
      Qsbr qsbr = new Qsbr(1);
      FlowTable table = new FlowTable(FLOWS, PATIENT, qsbr, FlowFile.open(directory, FLOWS));
      table.inherit();
      int tick = Ticks.ofNanos(Libc.monotonicNanos());
      for (int n = 0; n < STEADY; n++) {
        table.insert(FlowFileTest.flow(n % 2 == 0, n), tick);
      }
      for (int t = 0; t < 2; t++) {
        long seed = Long.parseLong(args[1]) + t;
        new Thread(
                () -> {
                  Random random = new Random(seed);
                  while (true) {
                    int n = STEADY + random.nextInt(FLOWS);
                    NewFlow f = FlowFileTest.flow(n % 2 == 0, n);
                    long entry = table.insert(f, tick);
                    if (entry > 0 && !f.inserted) {
                      table.remove(entry);
                    }
                  }
                })
            .start();
      }
      System.out.println("storm");
    }
  }

  @Test
  void shouldLeaveNoHalfFlowWhenItIsKilled() throws Exception {
    Path shm = Path.of("/dev/shm");
    Assumptions.assumeTrue(Files.isWritable(shm), "skipped: no /dev/shm");
    Path directory = Files.createTempDirectory(shm, "gatun-storm-");
    long seed = System.nanoTime();
    Random random = new Random(seed);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        Process storm = start(directory, seed + round);
        assertNotNull(storm.inputReader().readLine(), "the storm did not begin");
        Thread.sleep(random.nextInt(150));
        storm.destroyForcibly();
        assertTrue(storm.waitFor(10, TimeUnit.SECONDS));
        check(directory, "seed " + seed + " round " + round);
      }
    } finally {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static Process start(Path directory, long seed) throws IOException {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            Storm.class.getName(),
            directory.toString(),
            Long.toString(seed)));
    return new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** The successor: every flow whole, the steady ones all there, none leaked, none doubled. */
  private static void check(Path directory, String say) throws IOException {
    FlowFile file = FlowFile.open(directory, FLOWS);
    try (FlowTable table = new FlowTable(FLOWS, PATIENT, new Qsbr(1), file)) {
      table.inherit();
      int found = 0;
      for (int n = 0; n < STEADY + FLOWS; n++) {
        if (FlowFileTest.whole(table, FlowFileTest.flow(n % 2 == 0, n))) {
          found++;
        } else {
          assertTrue(n >= STEADY, say + ": a steady flow is gone");
        }
      }
      assertEquals(found, table.size(), say);
      int tick = Ticks.ofNanos(Libc.monotonicNanos());
      for (int n = 0; table.size() < FLOWS; n++) {
        long entry = table.insert(FlowFileTest.flow(false, 100_000 + n), tick);
        assertTrue(entry > 0, say + ": room leaked");
      }
      assertEquals(
          FLOWS - STEADY, table.removeIf(flow -> flow.clientLow() >= 0x0a000000L + STEADY), say);
    }
  }
}
