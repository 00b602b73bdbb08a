package io.gatun.flow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.ring.qsbr.Qsbr;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Workers that insert, find, remove and sweep at the same time, each with flows of its own and a
 * naive set of those that are there, while the table grows and others look on. {@code
 * -Dgatun.events=10000000} for as many events.
 */
class FlowModelTest {
  private static final int EVENTS = Integer.getInteger("gatun.events", 300_000);
  private static final int WRITERS = 2;
  private static final int FLOWS = 6000;
  private static final int FIRST = 512;

  private final long seed = System.nanoTime();
  private final Queue<String> faults = new ConcurrentLinkedQueue<>();
  private final AtomicInteger writing = new AtomicInteger(WRITERS);

  private static NewFlow flow(int n) {
    NewFlow f = FlowFileTest.flow(n % 3 == 0, n);
    f.service = 0;
    return f;
  }

  private void fault(String what) {
    if (faults.size() < 10) {
      faults.add(what);
    }
  }

  @Test
  void shouldAnswerAsANaiveModelWhileItIsUsedByManyAndGrows() throws InterruptedException {
    Qsbr qsbr = new Qsbr(WRITERS + 1);
    // Nothing expires, nothing has to give way: whatever is missing is a fault.
    try (FlowTable table = new FlowTable(FIRST, 4 * FLOWS, FlowTimeouts.defaults(), qsbr, null)) {
      CountDownLatch start = new CountDownLatch(1);
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < WRITERS; t++) {
        int number = t;
        Qsbr.Reader reader = qsbr.register();
        threads.add(new Thread(() -> write(table, reader, number, start)));
      }
      Qsbr.Reader looker = qsbr.register();
      threads.add(new Thread(() -> look(table, looker, start)));
      threads.forEach(Thread::start);
      start.countDown();
      while (writing.get() > 0) {
        table.grow();
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(List.of(), List.copyOf(faults), "seed " + seed);
      assertEquals(0, table.evicted());
      assertTrue(table.room() > 8 * FIRST, () -> "room " + table.room());
    }
  }

  /** The flows whose number is {@code odd} modulo the writers' are this one's alone. */
  private void write(FlowTable table, Qsbr.Reader reader, int odd, CountDownLatch start) {
    try {
      start.await();
      Random random = new Random(seed + odd);
      BitSet model = new BitSet(FLOWS);
      reader.online();
      for (int event = 0; event < EVENTS / WRITERS; event++) {
        // More and more different ones, so that the table grows under way.
        int range = Math.min(FLOWS, 100 + event / 16);
        int n = random.nextInt(range) * WRITERS + odd;
        step(table, model, n, random.nextInt(8));
        if (event % 8 == 0) {
          table.sweep(1);
          reader.quiescent();
          while (table.spare() < table.room() / 4) {
            reader.quiescent(); // the grower is late, or a reader holds up what was removed
            Thread.onSpinWait();
          }
        }
      }
      for (int k = 0; k < FLOWS; k++) {
        int n = k * WRITERS + odd;
        if (FlowFileTest.whole(table, flow(n)) != model.get(n)) {
          fault("in the end flow " + n + " differs");
        }
      }
    } catch (InterruptedException | RuntimeException | AssertionError e) {
      fault(e.toString());
    } finally {
      reader.offline();
      writing.decrementAndGet();
    }
  }

  private void step(FlowTable table, BitSet model, int n, int what) {
    NewFlow f = flow(n);
    if (what < 4) {
      long entry = table.insert(f, 1);
      if (entry < 0 || f.inserted == model.get(n)) {
        fault("insertion of " + n + ": " + entry + ", new " + f.inserted);
      }
      model.set(n);
    } else if (what < 6) {
      boolean there = FlowFileTest.whole(table, f);
      if (there != model.get(n)) {
        fault("flow " + n + " is there: " + there);
      }
    } else if (model.get(n)) {
      long entry = table.insert(f, 1); // the one that is there
      if (!table.remove(what == 6 ? entry : entry + FlowLayout.LINE)) {
        fault("removal of " + n);
      }
      model.clear(n);
      if (FlowFileTest.whole(table, f)) {
        fault("flow " + n + " is there after its removal");
      }
    }
  }

  /** Whatever is found must be whole: what stands in an entry follows from its key. */
  private void look(FlowTable table, Qsbr.Reader reader, CountDownLatch start) {
    try {
      start.await();
      Random random = new Random(seed - 1);
      reader.online();
      while (writing.get() > 0) {
        NewFlow f = flow(random.nextInt(FLOWS * WRITERS));
        long entry =
            f.ipv6
                ? table.find(
                    f.hash,
                    f.sourceHigh,
                    f.sourceLow,
                    f.destinationHigh,
                    f.destinationLow,
                    f.ports,
                    f.protocol)
                : table.find(
                    f.hash, (int) f.sourceLow, (int) f.destinationLow, f.ports, f.protocol);
        if (entry != 0) {
          long reply = entry + FlowLayout.LINE;
          boolean whole =
              Memory.getByte(entry + FlowLayout.DIRECTION) == 0
                  && Memory.getByte(reply + FlowLayout.DIRECTION) == 1
                  && Memory.getLong(reply + FlowLayout.KEY) == f.replyKey()
                  && (f.ipv6
                      ? Memory.getLong(reply + FlowLayout.ADDRESSES + 8) == f.newDestinationLow
                      : Memory.getInt(entry + FlowLayout.NEW_PORTS) == f.newPorts
                          && Memory.getLong(entry + FlowLayout.NEW_ADDRESSES)
                              == (f.newSourceLow << 32 | f.newDestinationLow));
          if (!whole) {
            fault("an entry was read half written");
          }
        }
        reader.quiescent();
      }
    } catch (InterruptedException | RuntimeException e) {
      fault(e.toString());
    } finally {
      reader.offline();
    }
  }
}
