package io.gatun.flow;

import io.gatun.ring.qsbr.Qsbr;
import org.jspecify.annotations.Nullable;

/**
 * Makes the table larger while it is used: twice as large whenever half of it is taken. Stepped by
 * one thread, which is no worker; nobody waits for it longer than the moving of one bucket takes.
 *
 * <pre>
 *   still ── half taken: memory, a larger array announced ──► announced
 *   announced ── every worker knows ──► moving ── all buckets ──► emptied
 *   emptied ── no worker looks into the old array any more: it is freed, the flows get their room ──► still
 * </pre>
 */
final class FlowGrowth implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("gatun.flow");

  /** Buckets that are moved in one step: some hundred microseconds. */
  private static final int STEP = 1024;

  private enum Phase {
    STILL,
    ANNOUNCED,
    MOVING,
    EMPTIED
  }

  private final FlowTable table;
  private final FlowIndex index;
  private final FlowPool pool;
  private final Qsbr qsbr;
  private final int maxFlows;
  private int room;
  private int wanted;
  private boolean stuck;
  private Phase phase = Phase.STILL;
  private long epoch;
  private int cursor;
  private @Nullable Buckets emptied;

  FlowGrowth(FlowTable table, FlowIndex index, FlowPool pool, Qsbr qsbr, int room, int maxFlows) {
    this.table = table;
    this.index = index;
    this.pool = pool;
    this.qsbr = qsbr;
    this.room = room;
    this.maxFlows = maxFlows;
  }

  /** False when there is nothing to do for now. */
  boolean step() {
    return switch (phase) {
      case STILL -> room < maxFlows && !stuck && halfTaken() && begin();
      case ANNOUNCED -> {
        phase = qsbr.passed(epoch) ? Phase.MOVING : phase;
        yield phase == Phase.MOVING;
      }
      case MOVING -> move();
      case EMPTIED -> qsbr.passed(epoch) && end();
    };
  }

  /** Has room for {@code flows} flows at once; before any worker runs. */
  void now(int flows) {
    if (flows > room) {
      wanted = flows;
      table.room(flows);
      index.announce(flows);
      for (int bucket = 0; bucket < index.olderBuckets(); bucket++) {
        index.move(bucket);
      }
      emptied = index.forgetOlder();
      end();
    }
  }

  private boolean halfTaken() {
    if (pool.spare() > room / 2) {
      return false;
    }
    pool.collect(); // some may have come back
    return pool.spare() <= room / 2;
  }

  private boolean begin() {
    wanted = (int) Math.min(maxFlows, 2L * room);
    try {
      table.room(wanted);
    } catch (RuntimeException e) {
      // As large as it gets: half-open flows give way from here on.
      LOG.log(System.Logger.Level.WARNING, "no more than {0} flows: {1}", room, e.getMessage());
      stuck = true;
      return false;
    }
    index.announce(wanted);
    epoch = qsbr.advance();
    cursor = 0;
    phase = Phase.ANNOUNCED;
    return true;
  }

  private boolean move() {
    int end = Math.min(index.olderBuckets(), cursor + STEP);
    while (cursor < end) {
      if (!index.move(cursor)) {
        return false; // tried again: flows go
      }
      cursor++;
    }
    if (cursor == index.olderBuckets()) {
      emptied = index.forgetOlder();
      epoch = qsbr.advance();
      phase = Phase.EMPTIED;
    }
    return true;
  }

  private boolean end() {
    index.passLocks(); // whoever holds one may not be a worker
    close();
    pool.grow(wanted);
    room = wanted;
    phase = Phase.STILL;
    return true;
  }

  @Override
  public void close() {
    Buckets old = emptied;
    emptied = null;
    if (old != null) {
      old.close();
    }
  }
}
