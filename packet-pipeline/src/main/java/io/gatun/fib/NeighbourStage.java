package io.gatun.fib;

import io.gatun.packet.Ipv4;
import io.gatun.packet.Ipv6;
import io.gatun.pipeline.DropReason;
import io.gatun.pipeline.HoldingStage;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Keeps packets whose next hop has no MAC address yet until it is known, and answers that the host
 * is unreachable when that takes too long; stands right behind the {@link RouteStage}. Belongs to
 * one worker.
 *
 * <p>As the kernel does, a few packets wait and the rest is dropped, so that a silent neighbour
 * cannot take the frames of all: {@value #PER_DESTINATION} a destination, {@value #PER_PORT} from
 * one port, one vector altogether. The control side is told of the first, by {@link Questions};
 * that the answer is there shows in the routes.
 */
public final class NeighbourStage implements HoldingStage {
  static final int PER_DESTINATION = 16;

  /** Who looks through a network for neighbours takes no room from others. */
  static final int PER_PORT = PacketVector.CAPACITY / 4;

  /** As long as the kernel tries: three questions, a second each. */
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(3);

  private static final long LOOK = TimeUnit.MILLISECONDS.toNanos(1);

  private final RouteStage route;
  private final Questions questions;
  private final LongSupplier clock;
  private final PacketVector again = new PacketVector();
  private PacketVector waiting = new PacketVector();
  private PacketVector left = new PacketVector();
  private final long[] since = new long[PacketVector.CAPACITY];

  // Where each goes: an IPv4 address has no high half.
  private final long[] high = new long[PacketVector.CAPACITY];
  private final long[] low = new long[PacketVector.CAPACITY];
  private long looked;

  /**
   * Holds nothing yet.
   *
   * @param route the stage before this one
   * @param clock nanoseconds of whatever origin
   */
  public NeighbourStage(RouteStage route, Questions questions, LongSupplier clock) {
    this.route = route;
    this.questions = questions;
    this.clock = clock;
    looked = clock.getAsLong();
  }

  @Override
  public boolean due() {
    return waiting.size != 0 && clock.getAsLong() - looked >= LOOK;
  }

  @Override
  public void process(PacketVector v) {
    for (int i = 0, size = v.size; i < size; i++) {
      if (v.verdict[i] == Verdict.DROP && v.dropReason[i] == DropReason.NO_NEIGHBOUR.code()) {
        hold(v, i);
      }
    }
    if (waiting.size != 0) {
      long now = clock.getAsLong();
      if (now - looked >= LOOK && v.size < PacketVector.CAPACITY) { // the next one will have room
        looked = now;
        release(v, now);
      }
    }
  }

  private void hold(PacketVector v, int i) {
    long l3 = v.address[i] + v.l3[i];
    boolean six = (v.flags[i] & PacketVector.IPV6) != 0;
    long toHigh = six ? Ipv6.destinationHigh(l3) : 0;
    long toLow = six ? Ipv6.destinationLow(l3) : Ipv4.destination(l3) & 0xFFFF_FFFFL;
    int already = 0;
    int fromPort = 0;
    for (int k = 0; k < waiting.size; k++) {
      if (low[k] == toLow && high[k] == toHigh) {
        already++;
      }
      fromPort += waiting.inPort[k] == v.inPort[i] ? 1 : 0;
    }
    if (already == PER_DESTINATION
        || fromPort == PER_PORT
        || waiting.size == PacketVector.CAPACITY) {
      return; // stays a drop
    }
    int at = waiting.size;
    waiting.append(v, i);
    waiting.flow[at] = 0; // its entry may be another flow's before the neighbour answers
    since[at] = clock.getAsLong();
    high[at] = toHigh;
    low[at] = toLow;
    v.verdict[i] = Verdict.HELD;
    if (already == 0) {
      questions.ask(six, toHigh, toLow);
    }
  }

  /** Routes them again; what has a way now, or has waited too long, goes on in {@code v}. */
  private void release(PacketVector v, long now) {
    int count = Math.min(waiting.size, PacketVector.CAPACITY - v.size);
    again.size = 0;
    for (int k = 0; k < count; k++) {
      again.append(waiting, k);
      again.verdict[k] = Verdict.CONTINUE;
    }
    route.process(again);
    left.size = 0;
    for (int k = 0; k < waiting.size; k++) {
      boolean routed = k < count;
      boolean unresolved =
          routed
              && again.verdict[k] == Verdict.DROP
              && again.dropReason[k] == DropReason.NO_NEIGHBOUR.code();
      // An ICMP error about it, whose own way is unresolved, is in its place now: it ends here.
      boolean answered = again.address[k] != waiting.address[k];
      if (routed && (!unresolved || answered || now - since[k] >= PATIENCE)) {
        if (unresolved && !answered) {
          route.hostUnreachable(again, k);
        }
        v.append(again, k);
      } else {
        int at = left.size;
        left.append(waiting, k);
        since[at] = since[k];
        high[at] = high[k];
        low[at] = low[k];
      }
    }
    PacketVector empty = waiting;
    waiting = left;
    left = empty;
  }
}
