package io.gatun.perf;

import io.gatun.flow.FlowHash;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.NewFlow;
import io.gatun.flow.Ticks;
import io.gatun.flow.TrackStage;
import io.gatun.packet.IpProtocol;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A flow table full of flows, and vectors of packets that ask for them: whatever a worker does to
 * find the flow of a packet that it has parsed, and nothing else. Both directions are asked for, in
 * random order. One thread.
 */
final class FlowLookups implements AutoCloseable {
  /** Established from the first packet on. */
  private static final int PROTOCOL = IpProtocol.SCTP;

  /** The clock stands: nothing expires. */
  private static final long NANOS = 1L << 40;

  private final Qsbr qsbr = new Qsbr(1);
  private final Qsbr.Reader reader = qsbr.register();
  private final FlowTable table;
  private final TrackStage track;
  private final PacketVector v = new PacketVector();

  /** Of the packets to look for: source and destination; ports. */
  private final long[] addresses;

  private final int[] ports;
  private final boolean there;
  private int at;

  private FlowLookups(FlowTable table, long[] addresses, int[] ports, boolean there) {
    this.table = table;
    this.addresses = addresses;
    this.ports = ports;
    this.there = there;
    track = new TrackStage(table, () -> NANOS);
    reader.online();
    for (int i = 0; i < PacketVector.CAPACITY; i++) {
      v.protocol[i] = PROTOCOL;
      v.verdict[i] = Verdict.CONTINUE;
      v.flags[i] = 0;
    }
    v.size = PacketVector.CAPACITY;
  }

  /** {@code keys} entries, two a flow; looked for are all of them, or as many others. */
  static FlowLookups of(int keys, boolean there) {
    SplittableRandom random = new SplittableRandom(keys);
    int flows = keys / 2;
    FlowTable table = new FlowTable(flows, FlowTimeouts.defaults(), new Qsbr(1));
    long[] addresses = new long[2 * flows];
    int[] ports = new int[2 * flows];
    NewFlow f = new NewFlow();
    for (int n = 0; n < flows; n++) {
      make(f, n, random);
      if (table.insert(f, Ticks.ofNanos(NANOS)) <= 0) {
        throw new IllegalStateException("flow " + n + " of " + flows + " had no room");
      }
      long other = there ? 0 : 0x1000_0000L; // 16 more in the source's first byte
      addresses[2 * n] = ((f.sourceLow + other) << 32) | f.destinationLow;
      ports[2 * n] = f.ports;
      addresses[2 * n + 1] = ((f.newDestinationLow + other) << 32) | f.newSourceLow;
      ports[2 * n + 1] = (f.newPorts << 16) | (f.newPorts >>> 16);
    }
    for (int i = 2 * flows - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      long address = addresses[i];
      int port = ports[i];
      addresses[i] = addresses[j];
      ports[i] = ports[j];
      addresses[j] = address;
      ports[j] = port;
    }
    return new FlowLookups(table, addresses, ports, there);
  }

  private static void make(NewFlow f, int n, SplittableRandom random) {
    f.protocol = PROTOCOL;
    f.sourceLow = 0x0A00_0000L + n;
    f.destinationLow = 0x0A60_000AL;
    f.ports = (1024 + random.nextInt(60_000)) << 16 | 80;
    f.newSourceLow = f.sourceLow;
    f.newDestinationLow = 0x0AF4_0001L + random.nextInt(100);
    f.newPorts = (f.ports & 0xFFFF_0000) | 8080;
    f.hash = FlowHash.of((int) f.sourceLow, (int) f.destinationLow, f.ports, PROTOCOL);
  }

  /** Bytes a flow, both directions. */
  double bytesPerFlow() {
    return (double) table.bytes() / table.capacity();
  }

  /** The next vector; returns how many packets that is. */
  int lookUp() {
    reader.quiescent();
    int n = PacketVector.CAPACITY;
    int from = at + n > addresses.length ? 0 : at;
    at = from + n;
    System.arraycopy(addresses, from, v.addresses, 0, n);
    System.arraycopy(ports, from, v.ports, 0, n);
    Arrays.fill(v.flow, 0, n, 0L);
    track.process(v);
    return n;
  }

  /** Throws unless every packet of the last vector found what it should. */
  void verify() {
    for (int i = 0; i < v.size; i++) {
      if (there != (v.flow[i] != 0)) {
        throw new IllegalStateException("a key " + (there ? "was missed" : "was found"));
      }
    }
  }

  @Override
  public void close() {
    table.close();
  }
}
