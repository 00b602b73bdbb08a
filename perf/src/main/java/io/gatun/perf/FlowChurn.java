package io.gatun.perf;

import io.gatun.flow.FlowState;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.NewFlow;
import io.gatun.flow.ReplyLines;
import io.gatun.flow.TrackStage;
import io.gatun.packet.IpProtocol;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import java.util.Map;

/**
 * New flows without end: each packet is of a flow that there has never been. It is looked for, not
 * found and made, and some seconds later, on a clock that goes with the packets, it expires. One
 * thread.
 */
final class FlowChurn implements AutoCloseable {
  /** Room for those that live, and for those that the sweep has not come by yet. */
  private static final int ROOM = 1 << 20;

  /** Of the clock, for a vector: 160,000 flows a second, which live for one and up to five. */
  private static final long NANOS_A_VECTOR = 1_600_000;

  /** As the service stage makes them. */
  private static final int TOGETHER = 32;

  private static final long FRONT = 0x0A60_000AL;

  private final Qsbr qsbr = new Qsbr(1);
  private final Qsbr.Reader reader = qsbr.register();
  private final FlowTable table =
      new FlowTable(ROOM, FlowTimeouts.of(Map.of(FlowState.UDP_NEW, 1)), qsbr);
  private final PacketVector v = new PacketVector();
  private final NewFlow[] begun = new NewFlow[TOGETHER];
  private final ReplyLines replies = table.replyLines(TOGETHER);
  private long nanos = 1L << 40;
  private final TrackStage track = new TrackStage(table, () -> nanos);
  private int next;

  FlowChurn() {
    reader.online();
    for (int i = 0; i < PacketVector.CAPACITY; i++) {
      v.protocol[i] = IpProtocol.UDP;
      v.verdict[i] = Verdict.CONTINUE;
      v.flags[i] = 0;
    }
    v.size = PacketVector.CAPACITY;
    for (int k = 0; k < TOGETHER; k++) {
      begun[k] = new NewFlow();
      begun[k].protocol = IpProtocol.UDP;
      begun[k].destinationLow = FRONT;
    }
  }

  /** A vector of new flows; returns how many. */
  int make() {
    reader.quiescent();
    nanos += NANOS_A_VECTOR;
    int n = PacketVector.CAPACITY;
    for (int i = 0; i < n; i++, next++) {
      v.addresses[i] = ((0x0A00_0000L + ((next >>> 4) & 0xFF_FFFF)) << 32) | FRONT;
      v.ports[i] = ((1024 + (next & 15) + (next >>> 28) * 16) << 16) | 80;
      v.flow[i] = 0;
    }
    track.process(v);
    for (int i = 0; i < n; i += TOGETHER) {
      for (int k = 0; k < TOGETHER; k++) {
        begin(begun[k], i + k);
      }
      replies.ask();
      for (NewFlow f : begun) {
        table.insert(f, track.tick());
        if (!f.inserted) {
          throw new IllegalStateException("a new flow had no room among " + table.size());
        }
      }
    }
    return n;
  }

  private void begin(NewFlow f, int i) {
    f.sourceLow = v.addresses[i] >>> 32;
    f.ports = v.ports[i];
    f.hash = v.hash[i];
    f.newSourceLow = f.sourceLow;
    f.newDestinationLow = 0x0AF4_0001L + (f.hash & 63);
    f.newPorts = (f.ports & 0xFFFF_0000) | 8080;
    replies.add(f);
  }

  /** Throws unless flows have expired, and none had to give way. */
  void verify() {
    if (table.evicted() != 0 || table.size() > ROOM - ROOM / 8) {
      throw new IllegalStateException(
          "%d flows, %d gave way".formatted(table.size(), table.evicted()));
    }
  }

  @Override
  public void close() {
    table.close();
  }
}
