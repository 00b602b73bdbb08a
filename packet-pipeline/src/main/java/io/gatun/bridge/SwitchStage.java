package io.gatun.bridge;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.HoldingStage;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.segment.Segmenter;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Tells apart what is routed and what is switched among the frames that came by bridged ports. The
 * latter get {@link PacketVector#SWITCHED} and their way out; route leaves them as they are. Right
 * behind parse. Belongs to one worker.
 *
 * <p>A frame whose sender the bridge does not know at this port waits until it does, {@value
 * #PATIENCE_MILLIS} ms at most: were it forwarded at once, the reply would find no entry, and a
 * Service's reply that the kernel's bridge delivers is not translated.
 */
public final class SwitchStage implements HoldingStage {
  private static final int PATIENCE_MILLIS = 20;
  private static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
  private static final long LOOK = TimeUnit.MICROSECONDS.toNanos(500);

  /** After the bridge has not learnt in time, for whatever reason, nobody waits for so long. */
  private static final long RESIGNED = TimeUnit.SECONDS.toNanos(1);

  /** Frames that wait; more than a few senders at a time are an attack. */
  private static final int MOST = 64;

  private static final int SOURCE = 6;

  private final Supplier<Switchboard> boards;
  private final Sightings sightings;
  private final LongSupplier clock;
  private PacketVector waiting = new PacketVector();
  private PacketVector left = new PacketVector();
  private final long[] since = new long[PacketVector.CAPACITY];
  private Switchboard board = Switchboard.EMPTY;
  private long looked;
  private long patientFrom;

  /**
   * Holds nothing yet.
   *
   * @param boards the board that is current
   * @param clock nanoseconds of whatever origin
   */
  public SwitchStage(Supplier<Switchboard> boards, Sightings sightings, LongSupplier clock) {
    this.boards = boards;
    this.sightings = sightings;
    this.clock = clock;
    looked = clock.getAsLong();
    patientFrom = looked;
  }

  @Override
  public boolean due() {
    return waiting.size != 0 && clock.getAsLong() - looked >= LOOK;
  }

  @Override
  public void process(PacketVector v) {
    board = boards.get();
    if (board.isEmpty() && waiting.size == 0) {
      return;
    }
    int size = v.size;
    if (waiting.size != 0) {
      release(v);
    }
    for (int i = 0; i < size; i++) {
      int domain = board.domain(v.inPort[i]);
      if (domain != 0 && v.verdict[i] == Verdict.CONTINUE) {
        if (isKnown(v, i, domain) || !hold(v, i)) {
          direct(v, i, domain);
        }
      }
    }
  }

  /** True when the bridge has the sender at the port that the frame came by, or would not learn. */
  private boolean isKnown(PacketVector v, int i, int domain) {
    int slot = board.find(domain, mac(v.address[i] + SOURCE));
    if (slot >= 0 && board.port(slot) == v.inPort[i]) {
      board.use(slot);
      return true;
    }
    return !Switchboard.learns(domain);
  }

  private boolean hold(PacketVector v, int i) {
    long now = clock.getAsLong();
    long mac = mac(v.address[i] + SOURCE);
    if (waiting.size == 0 || !isAsked(v.inPort[i], mac)) {
      sightings.tell(v.inPort[i], mac);
    }
    if (waiting.size == MOST || now - patientFrom < 0) {
      return false;
    }
    since[waiting.size] = now;
    waiting.append(v, i);
    v.verdict[i] = Verdict.HELD;
    return true;
  }

  private boolean isAsked(int port, long mac) {
    for (int k = 0; k < waiting.size; k++) {
      if (waiting.inPort[k] == port && mac(waiting.address[k] + SOURCE) == mac) {
        return true;
      }
    }
    return false;
  }

  /** What has waited long enough, or for nothing, goes on in {@code v}. */
  private void release(PacketVector v) {
    long now = clock.getAsLong();
    looked = now;
    left.size = 0;
    for (int k = 0; k < waiting.size; k++) {
      int domain = board.domain(waiting.inPort[k]);
      boolean late = now - since[k] >= PATIENCE;
      if (v.size < PacketVector.CAPACITY && (late || domain == 0 || isKnown(waiting, k, domain))) {
        if (late) {
          patientFrom = now + RESIGNED;
        }
        v.append(waiting, k);
        if (domain != 0) {
          direct(v, v.size - 1, domain);
        }
      } else {
        since[left.size] = since[k];
        left.append(waiting, k);
      }
    }
    PacketVector empty = waiting;
    waiting = left;
    left = empty;
  }

  private void direct(PacketVector v, int i, int domain) {
    int slot = board.find(domain, mac(v.address[i]));
    if (slot < 0 || !board.open(slot)) {
      v.drop(i, DropReason.LEFT_TO_BRIDGE);
      return;
    }
    int port = board.port(slot);
    if (port == Switchboard.NODE) {
      return;
    }
    if (port == v.inPort[i] && !Switchboard.hairpin(domain)) {
      v.drop(i, DropReason.LEFT_TO_BRIDGE);
    } else if (Segmenter.largest(v, i) > board.mtu(slot)) {
      v.drop(i, DropReason.TOO_BIG);
    } else {
      board.use(slot);
      v.flags[i] |= PacketVector.SWITCHED;
      v.outPort[i] = port;
      if ((v.flags[i] & PacketVector.IPV6) != 0) {
        // Where it was for, as the column says it of IPv4: route asks whether that has changed.
        v.addresses[i] = Ipv6.destinationLow(v.address[i] + v.l3[i]);
      }
    }
  }

  private static long mac(long at) {
    return Memory.getLongBe(at) >>> 16;
  }
}
