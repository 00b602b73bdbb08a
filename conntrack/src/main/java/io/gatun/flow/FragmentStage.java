package io.gatun.flow;

import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.HoldingStage;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import java.util.function.LongSupplier;

/**
 * Gives later fragments the ports of their first one, so that the stages behind see packets of the
 * same flow. Stands between parse and track; owned by one worker, the table is shared.
 *
 * <p>A fragment that comes before its first one is held, at most {@value #HELD_AT_MOST} of them and
 * half a second, until that comes by any worker. Then it goes on without ports: to a Service it is
 * dropped there, otherwise forwarded as it is, since the first may have gone another way.
 */
public final class FragmentStage implements HoldingStage {
  private static final int FRAGMENT = PacketVector.FIRST_FRAGMENT | PacketVector.LATER_FRAGMENT;
  private static final int HELD_AT_MOST = 64;
  private static final long HOLD_NANOS = 500_000_000L;

  private final FragmentTable table;
  private final LongSupplier clock;
  private final FragmentHeader header = new FragmentHeader();

  /** Two, between which those that stay are moved. */
  private PacketVector held = new PacketVector();

  private PacketVector stay = new PacketVector();
  private long[] since = new long[HELD_AT_MOST];
  private long[] sinceStay = new long[HELD_AT_MOST];

  /** {@code clock} gives nanoseconds of CLOCK_MONOTONIC; asked when there are fragments. */
  public FragmentStage(FragmentTable table, LongSupplier clock) {
    this.table = table;
    this.clock = clock;
  }

  @Override
  public boolean due() {
    return held.size != 0;
  }

  @Override
  public void process(PacketVector v) {
    boolean some = v.mayHave(FRAGMENT);
    if (!some && held.size == 0) {
      return;
    }
    long now = clock.getAsLong();
    if (some) {
      for (int i = 0, n = v.size; i < n; i++) {
        if ((v.flags[i] & FRAGMENT) != 0 && v.verdict[i] == Verdict.CONTINUE) {
          arrive(v, i, now);
        }
      }
    }
    if (held.size != 0) {
      release(v, now);
    }
  }

  private void arrive(PacketVector v, int i, long now) {
    if (!header.read(v, i)) {
      v.drop(i, DropReason.BAD_FRAGMENT);
      return;
    }
    long known = table.note(header, v.ports[i], v.protocol[i], now);
    if (known != FragmentTable.UNKNOWN) {
      decide(v, i, known);
    } else if (held.size < HELD_AT_MOST) {
      since[held.size] = now;
      held.append(v, i);
      v.verdict[i] = Verdict.HELD;
    }
  }

  private static void decide(PacketVector v, int i, long known) {
    if (known == FragmentTable.OVERLAP) {
      v.drop(i, DropReason.FRAGMENT_OVERLAP);
    } else if (known == FragmentTable.SCATTERED) {
      v.drop(i, DropReason.FRAGMENT_SCATTERED);
    } else {
      v.ports[i] = (int) known;
      v.protocol[i] = (int) (known >>> 32);
    }
  }

  /** Appends those that need wait no longer, in the order of their arrival. */
  private void release(PacketVector v, long now) {
    stay.size = 0;
    for (int k = 0, n = held.size; k < n; k++) {
      header.read(held, k);
      long known = table.known(header, now);
      boolean wait = known == FragmentTable.UNKNOWN && now - since[k] <= HOLD_NANOS;
      if (wait || v.size == PacketVector.CAPACITY) {
        sinceStay[stay.size] = since[k];
        stay.append(held, k);
      } else {
        v.append(held, k);
        if (known != FragmentTable.UNKNOWN) {
          decide(v, v.size - 1, known);
        }
      }
    }
    PacketVector swap = held;
    held = stay;
    stay = swap;
    long[] swapSince = since;
    since = sinceStay;
    sinceStay = swapSince;
  }
}
