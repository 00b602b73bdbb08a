package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ring.qsbr.Qsbr;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FlowHashTest {
  private static final int TCP = 6;
  private static final int FRONT = 0x0A60_000A;
  private static final int TUPLES = 1 << 18;

  private static int hash(boolean ipv6, long[] words, int ports) {
    return ipv6
        ? FlowHash.of(words[0], words[1], words[2], words[3], ports, TCP)
        : FlowHash.of((int) words[0], (int) words[1], ports, TCP);
  }

  /**
   * Strict avalanche: whichever bit of a tuple changes, each bit of the hash does every other time.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldChangeEveryBitOfTheHashWithEveryBitOfTheTuple(boolean ipv6) {
    Random random = new Random(20261129);
    int tries = 4000;
    int words = ipv6 ? 4 : 2;
    int bits = ipv6 ? 64 : 32;
    for (int bit = 0; bit < words * bits + 32; bit++) {
      int[] changed = new int[32];
      for (int k = 0; k < tries; k++) {
        long[] tuple = random.longs(4).toArray();
        int ports = random.nextInt();
        int before = hash(ipv6, tuple, ports);
        if (bit < words * bits) {
          tuple[bit / bits] ^= 1L << bit % bits;
        } else {
          ports ^= 1 << bit - words * bits;
        }
        int difference = before ^ hash(ipv6, tuple, ports);
        for (int out = 0; out < 32; out++) {
          changed[out] += difference >>> out & 1;
        }
      }
      for (int out = 0; out < 32; out++) {
        double share = (double) changed[out] / tries;
        assertTrue(share > 0.25 && share < 0.75, "bit " + bit + " to " + out + ": " + share);
      }
    }
  }

  private static final class Tuples {
    /** Neighbours in what real clients have: addresses and ports that follow each other. */
    static IntUnaryOperator of(String name) {
      return switch (name) {
        case "ports" -> i -> FlowHash.of(0x0A01_0000 + (i >>> 16), FRONT, i << 16 | 80, TCP);
        case "clients" -> i -> FlowHash.of(0x0A00_0000 + i, FRONT, 40_000 << 16 | 80, TCP);
        case "fronts" -> i -> FlowHash.of(0x0A01_0001, 0x0A60_0000 + i, 40_000 << 16 | 80, TCP);
        case "replies" ->
            i -> FlowHash.of(0x0AF4_0000 + (i & 63), 0x0A01_0000, 8080 << 16 | i >>> 6, TCP);
        default -> throw new IllegalArgumentException(name);
      };
    }
  }

  /**
   * Pearson's test on each 12 bits that something goes by: the bucket's, the tag's, the Maglev
   * slot's. 4,095 degrees of freedom: beyond ±8 standard deviations of 90.5.
   */
  @ParameterizedTest
  @CsvSource({"ports", "clients", "fronts", "replies"})
  void shouldSpreadTuplesThatFollowEachOther(String name) {
    IntUnaryOperator tuples = Tuples.of(name);
    Set<Integer> different = new HashSet<>();
    int[][] counts = new int[3][4096];
    for (int i = 0; i < TUPLES; i++) {
      int hash = tuples.applyAsInt(i);
      different.add(hash);
      counts[0][hash >>> 20]++;
      counts[1][hash >>> 8 & 4095]++;
      counts[2][hash & 4095]++;
    }
    // Of 2^18 random numbers of 32 bits eight pairs are equal.
    assertTrue(different.size() > TUPLES - 64, name + ": " + different.size());
    double expected = TUPLES / 4096.0;
    for (int[] count : counts) {
      double sum = 0;
      for (int c : count) {
        sum += (c - expected) * (c - expected) / expected;
      }
      assertTrue(sum < 4095 + 8 * 90.5, name + ": " + sum);
    }
  }

  /** Whoever learns the secrets still fills his own chain only. */
  @Test
  void shouldRefuseTuplesOfOneHashBeforeTheyMakeALongChain() {
    try (FlowTable table = new FlowTable(10_000, FlowTimeouts.defaults(), new Qsbr(1))) {
      int inserted = 0;
      NewFlow f = new NewFlow();
      for (int i = 0; i < 1000; i++) {
        f.protocol = 132;
        f.sourceLow = 0x0A01_0000L + i;
        f.destinationLow = FRONT;
        f.ports = f.newPorts = 5000 << 16 | 80;
        f.newSourceLow = f.sourceLow;
        f.newDestinationLow = 0x0AF4_0001L;
        f.hash = 4711; // as if it were theirs
        long entry = table.insert(f, 1);
        assertTrue(entry > 0 || entry == FlowTable.FULL, "flow " + i + ": " + entry);
        inserted += entry > 0 ? 1 : 0;
      }
      assertTrue(inserted > 20 && inserted <= 4 * FlowLayout.SLOTS, inserted + " inserted");
      assertEquals(inserted, table.size());
    }
  }

  /** Another process, of another secret. */
  static final class Other {
    private Other() {}

    public static void main(String[] args) {
      System.out.println(told());
    }
  }

  private static String told() {
    return FlowHash.of(1, 2, 3, TCP) + " " + FlowHash.of(1, 2, 3, 4, 5, TCP);
  }

  /** So that tuples of one hash cannot be worked out elsewhere. */
  @Test
  void shouldHashDifferentlyInEveryProcess() throws Exception {
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Other.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String[] theirs = other.inputReader().readLine().split(" ");
    String[] ours = told().split(" ");
    assertEquals(0, other.waitFor());
    for (int i = 0; i < 2; i++) {
      assertNotEquals(ours[i], theirs[i], "which is so by chance once in 2^32 times");
    }
  }

  /** Nodes of different versions agree on endpoints as long as these numbers stay. */
  @Test
  void shouldAgreeWithOtherNodes() {
    assertEquals(180338125, AgreedHash.ofKey(FlowLayout.key(80, FlowLayout.IPV4, TCP), FRONT));
    assertEquals(
        -450220975, AgreedHash.ofKey(FlowLayout.key(80, FlowLayout.IPV6, TCP), 1, 2, 3, 4));
  }
}
