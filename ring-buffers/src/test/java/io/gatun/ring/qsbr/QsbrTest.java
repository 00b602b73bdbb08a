package io.gatun.ring.qsbr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ring.qsbr.Qsbr.Reader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class QsbrTest {
  private final List<Long> freed = new ArrayList<>();

  @Test
  void shouldFreeAtOnceWhenNobodyReads() {
    Qsbr qsbr = new Qsbr(2);
    qsbr.register();
    qsbr.retire(7, freed::add);
    assertEquals(1, qsbr.reclaim());
    assertEquals(List.of(7L), freed);
  }

  @Test
  void shouldWaitForEveryOnlineReader() {
    Qsbr qsbr = new Qsbr(2);
    Reader a = qsbr.register();
    Reader b = qsbr.register();
    a.online();
    b.online();
    qsbr.retire(7, freed::add);
    a.quiescent();
    assertEquals(0, qsbr.reclaim());
    b.quiescent();
    assertEquals(1, qsbr.reclaim());
  }

  @Test
  void shouldNotWaitForAReaderThatSleeps() {
    Qsbr qsbr = new Qsbr(1);
    Reader a = qsbr.register();
    a.online();
    qsbr.retire(7, freed::add);
    assertEquals(0, qsbr.reclaim());
    a.offline();
    assertEquals(1, qsbr.reclaim());
    a.online();
    assertTrue(a.isOnline());
    assertEquals(0, qsbr.pending());
  }

  @Test
  void shouldLetWritersKeepTheirOwnLists() {
    Qsbr qsbr = new Qsbr(1);
    Reader a = qsbr.register();
    a.online();
    long epoch = qsbr.advance();
    assertFalse(qsbr.passed(epoch));
    a.quiescent();
    assertTrue(qsbr.passed(epoch));
  }

  @Test
  void shouldAllowReclaimersThatRetire() {
    Qsbr qsbr = new Qsbr(1);
    LongStream.range(0, 64).forEach(i -> qsbr.retire(i, r -> qsbr.retire(r + 100, freed::add)));
    assertEquals(64, qsbr.reclaim());
    assertEquals(64, qsbr.reclaim());
    assertEquals(LongStream.range(100, 164).boxed().toList(), freed);
  }

  @Test
  void shouldRefuseMoreReadersThanItHasRoomFor() {
    Qsbr qsbr = new Qsbr(1);
    qsbr.register();
    assertThrows(IllegalStateException.class, qsbr::register);
  }

  /** The model: per record the set of readers that were online when it was retired. */
  @Test
  void shouldFreeExactlyWhatNoReaderCanStillSee() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Qsbr qsbr = new Qsbr(3);
    List<Reader> readers = List.of(qsbr.register(), qsbr.register(), qsbr.register());
    List<Set<Reader>> watched = new ArrayList<>();
    long next = 0;
    for (int step = 0; step < 50_000; step++) {
      Reader reader = readers.get(random.nextInt(3));
      switch (random.nextInt(6)) {
        case 0, 1 -> {
          if (reader.isOnline()) {
            reader.quiescent();
            watched.forEach(s -> s.remove(reader));
          }
        }
        case 2 -> {
          if (reader.isOnline()) {
            reader.offline();
            watched.forEach(s -> s.remove(reader));
          } else {
            reader.online();
          }
        }
        case 3 -> {
          Set<Reader> now = new HashSet<>(readers);
          now.removeIf(r -> !r.isOnline());
          watched.add(now);
          qsbr.retire(next++, freed::add);
        }
        default -> {
          int free = 0; // in order of retirement, up to the first that somebody may see
          while (free < watched.size() && watched.get(free).isEmpty()) {
            free++;
          }
          watched.subList(0, free).clear();
          assertEquals(free, qsbr.reclaim(), "seed " + seed);
          assertEquals(watched.size(), qsbr.pending(), "seed " + seed);
        }
      }
    }
    assertEquals(LongStream.range(0, freed.size()).boxed().toList(), freed);
  }
}
