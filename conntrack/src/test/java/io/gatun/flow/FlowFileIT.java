package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
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

/**
 * {@code kill -9} at random moments of a storm of insertions, removals, expiry and growth by two
 * workers and a grower. {@code -Dgatun.kills=1000} for as many moments.
 */
class FlowFileIT {
  private static final int MAX = 20_000;
  private static final int FIRST = 256;

  /** Different flows that there are, so that none ever has to give way. */
  private static final int FLOWS = 18_000;

  /** Flows below this number are inserted before the storm and never removed. */
  private static final int STEADY = 200;

  private static final int KILLS = Integer.getInteger("gatun.kills", 12);

  private static final int DAY = 24 * 3600;

  /** Answered flows outlast the test, others a moment: the storm's clock runs fast. */
  private static final FlowTimeouts TIMEOUTS =
      FlowTimeouts.of(
          Map.of(FlowState.UDP_NEW, 60, FlowState.UDP_REPLIED, DAY, FlowState.UDP_STREAM, DAY));

  private static NewFlow flow(int n) {
    NewFlow f = FlowFileTest.flow(n % 4 < 2, n);
    f.service = 0; // those of a Service may not take all
    return f;
  }

  /** The process that is killed. It writes down which flows were answered: a byte each. */
  static final class Storm {
    private Storm() {}

    public static void main(String[] args) throws IOException {
      Path directory = Path.of(args[0]);
      Qsbr qsbr = new Qsbr(2);
      FlowTable table =
          new FlowTable(
              FIRST,
              MAX,
              TIMEOUTS,
              qsbr,
              FlowFile.open(directory, MAX, FIRST, FlowFile.Annex.NONE));
      table.inherit();
      long answered = NativeArea.mapFile(directory.resolve("answered"), FLOWS).address();
      int tick = Ticks.ofNanos(Libc.monotonicNanos());
      for (int n = 0; n < STEADY; n++) {
        answer(table, n, tick, answered);
      }
      for (int t = 0; t < 2; t++) {
        Random random = new Random(Long.parseLong(args[1]) + t);
        Qsbr.Reader reader = qsbr.register();
        int odd = t;
        new Thread(() -> storm(table, reader, random, odd, tick, answered)).start();
      }
      System.out.println("storm");
      while (true) {
        table.grow();
      }
    }

    /** A worker; each has its own half of the flows, so that it knows which are there. */
    private static void storm(
        FlowTable table, Qsbr.Reader reader, Random random, int odd, int from, long answered) {
      reader.online();
      for (int k = 0; ; k++) {
        int tick = from + k / 256;
        int n = STEADY + (random.nextInt(FLOWS - STEADY - 1) & ~1) + odd;
        int what = random.nextInt(8);
        if (what < 4) {
          table.insert(flow(n), tick);
        } else if (what < 6) {
          answer(table, n, tick, answered);
        } else {
          NewFlow f = flow(n);
          long entry = table.insert(f, tick);
          if (entry > 0) {
            Memory.putByte(answered + n, 0);
            table.remove(entry);
          }
        }
        if (k % 16 == 0) {
          table.sweep(tick);
          reader.quiescent();
        }
      }
    }

    private static void answer(FlowTable table, int n, int tick, long answered) {
      NewFlow f = flow(n);
      long entry = table.insert(f, tick);
      if (entry > 0) {
        FlowTracker.udp(entry + FlowLayout.LINE, tick);
        // Whoever was just about to remove it has done so now; nobody else will.
        table.index.lock(f.hash, f.replyHash());
        table.index.unlock(f.hash, f.replyHash());
        if (FlowFileTest.whole(table, f)) {
          Memory.putByte(answered + n, 1);
        }
      }
    }
  }

  @Test
  void shouldLeaveNoHalfFlowWhenItIsKilled() throws Exception {
    Path shm = Path.of("/dev/shm");
    Assumptions.assumeTrue(Files.isWritable(shm), "skipped: no /dev/shm");
    long seed = System.nanoTime();
    Random random = new Random(seed);
    long answered = 0;
    int largest = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      Path directory = Files.createTempDirectory(shm, "gatun-storm-");
      try {
        Process storm = start(directory, seed + kill);
        assertNotNull(storm.inputReader().readLine(), "the storm did not begin");
        Thread.sleep(random.nextInt(150));
        storm.destroyForcibly();
        assertTrue(storm.waitFor(10, TimeUnit.SECONDS));
        int[] seen = check(directory, "seed " + seed + " kill " + kill);
        answered += seen[0];
        largest = Math.max(largest, seen[1]);
      } finally {
        try (Stream<Path> files = Files.walk(directory)) {
          for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
            Files.delete(file);
          }
        }
      }
    }
    System.out.printf(
        "%d kills: %d answered flows, all found; up to %d flows%n", KILLS, answered, largest);
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

  /** What the file has of flow {@code n}. */
  private static String left(FlowFile file, int n) {
    StringBuilder say = new StringBuilder("now " + Ticks.ofNanos(Libc.monotonicNanos()));
    NewFlow f = flow(n);
    for (int number = 0; number < file.touched(); number++) {
      long flow = file.flows() + (1L + number) * FlowLayout.FLOW_BYTES;
      long reply = flow + FlowLayout.LINE;
      long addresses = flow + FlowLayout.ADDRESSES;
      long source = f.ipv6 ? Memory.getLong(addresses + 8) : Memory.getLong(addresses) >>> 32;
      if (Memory.getLong(flow) == f.key() && source == f.sourceLow) {
        say.append(
            " | %d of %d: published %d, state %d, seen %d and %d, born %d"
                .formatted(
                    number,
                    file.touched(),
                    Memory.getShort(reply + FlowLayout.PUBLISHED),
                    FlowLayout.state(flow),
                    Memory.getInt(flow + FlowLayout.LAST_SEEN),
                    Memory.getInt(reply + FlowLayout.LAST_SEEN),
                    Memory.getInt(reply + FlowLayout.CREATED)));
      }
    }
    return say.toString();
  }

  /**
   * The successor: every flow whole, answered ones all there, none doubled, no room and no reply's
   * key (which is a source port) leaked. Returns answered and all flows.
   */
  private static int[] check(Path directory, String say) throws IOException {
    byte[] answered = Files.readAllBytes(directory.resolve("answered"));
    FlowFile file = FlowFile.open(directory, MAX, FIRST, FlowFile.Annex.NONE);
    int must = 0;
    try (FlowTable table = new FlowTable(FIRST, MAX, TIMEOUTS, new Qsbr(1), file)) {
      table.inherit();
      int found = 0;
      for (int n = 0; n < FLOWS; n++) {
        boolean there = FlowFileTest.whole(table, flow(n));
        found += there ? 1 : 0;
        int gone = n;
        assertTrue(
            there || answered[n] == 0,
            () -> say + ": answered flow " + gone + " is gone; " + left(file, gone));
        must += answered[n];
      }
      assertTrue(must >= STEADY, say);
      assertEquals(found, table.size(), say);
      int tick = Ticks.ofNanos(Libc.monotonicNanos());
      for (int n = 0; n < FLOWS; n++) {
        NewFlow f = flow(n);
        assertTrue(table.insert(f, tick) > 0, say + ": flow " + n + " has no room");
        while (table.grow()) {
          // as large as it has to be
        }
      }
      assertEquals(FLOWS, table.size(), say);
      return new int[] {must, found};
    }
  }
}
