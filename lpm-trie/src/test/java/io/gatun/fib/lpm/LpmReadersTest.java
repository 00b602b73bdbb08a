package io.gatun.fib.lpm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * Random nested prefixes come and go under a reader. Every answer must have been right at some
 * moment between the beginning and the end of its lookup.
 */
class LpmReadersTest {
  private static final long SEED = Long.getLong("gatun.test.seed", 20261121L);
  private static final int CHANGES = Boolean.getBoolean("gatun.long") ? 1_000_000 : 60_000;
  private static final int ADDRESSES = 64;

  /** Enough that a lookup which is not interrupted for as many changes finds its moment. */
  private static final int REMEMBERED = 1 << 12;

  private final Random random = new Random(SEED);
  private final int[] addresses = new int[ADDRESSES];
  private final int[] prefixes = new int[200];
  private final int[] lengths = new int[prefixes.length];
  private final boolean[] present = new boolean[prefixes.length];

  /** Right answers after each of the latest changes. */
  private final AtomicIntegerArray right = new AtomicIntegerArray(REMEMBERED * ADDRESSES);

  /** Changes begun and ended. */
  private final AtomicLong begun = new AtomicLong();

  private final AtomicLong ended = new AtomicLong();
  private final AtomicLong vectors = new AtomicLong();
  private final AtomicLong judged = new AtomicLong();
  private volatile String wrong = "";
  private volatile boolean done;
  private boolean tide;

  /** A table of either family that has these addresses. */
  private interface Table extends AutoCloseable {
    void add(int address, int length, int nextHop);

    void remove(int address, int length);

    void lookup(int[] addresses, int[] nextHops);

    @Override
    void close();
  }

  private static Table ipv4(Retirement retirement) {
    Lpm4 lpm = new Lpm4("test", retirement);
    return new Table() {
      @Override
      public void add(int address, int length, int nextHop) {
        lpm.add(address, length, nextHop);
      }

      @Override
      public void remove(int address, int length) {
        lpm.remove(address, length);
      }

      @Override
      public void lookup(int[] addresses, int[] nextHops) {
        lpm.lookup(addresses, nextHops, addresses.length);
      }

      @Override
      public void close() {
        lpm.close();
      }
    };
  }

  /** They all begin alike, and the page for that comes and goes all the time. */
  private static Table ipv6(Retirement retirement) {
    Lpm6 lpm = new Lpm6("test", 100, retirement);
    long[] high = new long[ADDRESSES];
    long[] low = new long[ADDRESSES];
    return new Table() {
      private static long high(int address) {
        return 0x20010L << 44 | (address & 0xFFFFFFFFL) << 12;
      }

      @Override
      public void add(int address, int length, int nextHop) {
        lpm.add(high(address), 0, 20 + length, nextHop);
      }

      @Override
      public void remove(int address, int length) {
        lpm.remove(high(address), 0, 20 + length);
      }

      @Override
      public void lookup(int[] addresses, int[] nextHops) {
        for (int i = 0; i < ADDRESSES; i++) {
          high[i] = high(addresses[i]);
        }
        lpm.lookup(high, low, nextHops, ADDRESSES);
      }

      @Override
      public void close() {
        lpm.close();
      }
    };
  }

  @Test
  void shouldAnswerWhatWasRightAtSomeMoment() throws InterruptedException {
    readAndChange(LpmReadersTest::ipv4);
  }

  @Test
  void shouldAnswerRightWhilePagesComeAndGo() throws InterruptedException {
    tide = true;
    readAndChange(LpmReadersTest::ipv6);
  }

  private void readAndChange(Function<Retirement, Table> make) throws InterruptedException {
    for (int i = 0; i < prefixes.length; i++) {
      do {
        lengths[i] = random.nextInt(33);
        int address = 0x0A000000 | random.nextInt(1 << 12) << random.nextInt(13);
        prefixes[i] = lengths[i] == 0 ? 0 : address & -1 << (32 - lengths[i]);
      } while (isKnown(i));
    }
    for (int i = 0; i < ADDRESSES; i++) {
      addresses[i] = prefixes[random.nextInt(prefixes.length)] | random.nextInt(256);
    }
    Queue<Runnable> retired = new ArrayDeque<>();
    try (Table lpm = make.apply(retired::add)) {
      Thread reader = new Thread(() -> read(lpm));
      reader.start();
      for (int change = 1; change <= CHANGES && wrong.isEmpty(); change++) {
        int which = next(change);
        present[which] = !present[which];
        remember(change);
        begun.set(change);
        if (present[which]) {
          lpm.add(prefixes[which], lengths[which], which + 1);
        } else {
          lpm.remove(prefixes[which], lengths[which]);
        }
        ended.set(change);
        if (change % 256 == 0) { // the grace period: the reader has finished two more vectors
          long then = vectors.get();
          while (vectors.get() < then + 2 && wrong.isEmpty()) {
            Thread.onSpinWait();
          }
          retired.forEach(Runnable::run);
          retired.clear();
        }
      }
      done = true;
      reader.join();
      retired.forEach(Runnable::run);
    }
    assertEquals("", wrong, () -> "seed " + SEED);
    assertTrue(judged.get() > 1000, judged + " answers judged");
  }

  /** Of a tide: more and more prefixes for 512 changes, fewer and fewer for as many. */
  private int next(int change) {
    int which = random.nextInt(prefixes.length);
    for (int i = 0; tide && i < 4 && present[which] == ((change >>> 9) % 2 == 0); i++) {
      which = random.nextInt(prefixes.length);
    }
    return which;
  }

  private boolean isKnown(int which) {
    for (int i = 0; i < which; i++) {
      if (prefixes[i] == prefixes[which] && lengths[i] == lengths[which]) {
        return true;
      }
    }
    return false;
  }

  private void remember(int change) {
    for (int i = 0; i < ADDRESSES; i++) {
      int longest = -1;
      int answer = 0;
      for (int p = 0; p < prefixes.length; p++) {
        boolean contains =
            lengths[p] == 0 || (addresses[i] ^ prefixes[p]) >>> (32 - lengths[p]) == 0;
        if (present[p] && contains && lengths[p] > longest) {
          longest = lengths[p];
          answer = p + 1;
        }
      }
      right.set((change & (REMEMBERED - 1)) * ADDRESSES + i, answer);
    }
  }

  private void read(Table lpm) {
    int[] answers = new int[ADDRESSES];
    while (!done && wrong.isEmpty()) {
      long from = ended.get();
      lpm.lookup(addresses, answers);
      long to = begun.get();
      vectors.incrementAndGet();
      if (to - from < REMEMBERED - 512) {
        for (int i = 0; i < ADDRESSES; i++) {
          judge(i, answers[i], from, to);
        }
      }
    }
  }

  private void judge(int address, int answer, long from, long to) {
    for (long change = from; change <= to; change++) {
      if (right.get((int) (change & (REMEMBERED - 1)) * ADDRESSES + address) == answer) {
        judged.incrementAndGet();
        return;
      }
    }
    // The writer may have come round to this place of its memory in the meantime.
    if (begun.get() - from < REMEMBERED - 512) {
      wrong =
          "%08x: %d, after changes %d to %d of %s"
              .formatted(addresses[address], answer, from, to, Arrays.toString(prefixes));
    }
  }
}
