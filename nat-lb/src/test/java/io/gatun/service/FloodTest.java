package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.flow.FlowState;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.TrackStage;
import io.gatun.packet.Ethernet;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A flood of SYNs from random sources at a table that it would fill many times over, while
 * established connections go on and honest clients connect. {@code -Dgatun.flood=10000000} for as
 * many SYNs, at a table of a tenth of that.
 */
class FloodTest {
  private static final int SYNS = Integer.getInteger("gatun.flood", 400_000);
  private static final int TABLE = SYNS / 10;
  private static final int ESTABLISHED = Math.min(1000, TABLE / 20);
  private static final int FRAME = 64;
  private static final int TCP = 6;
  private static final int FRONT = 0x0A60_000A;
  private static final int ENDPOINT = 0x0A02_0003;
  private static final int CLIENT = 0x0A01_0000;

  /** A million SYNs a second. */
  private static final long NANOS_A_VECTOR = 256_000;

  /** Vectors between a client's SYN and its ACK: a millisecond. */
  private static final int ROUND_TRIP = 4;

  private final Qsbr qsbr = new Qsbr(1);
  private final Qsbr.Reader reader = qsbr.register();
  private final FlowTable flows = new FlowTable(TABLE, FlowTimeouts.defaults(), qsbr);
  private final ServiceTable services = new ServiceTable(flows, qsbr);
  private long nanos = 1L << 40;
  private final TrackStage track = new TrackStage(flows, () -> nanos);
  private final ServiceStage service =
      new ServiceStage(services, flows, new SourceAddresses(), track);
  private final NativeArea frames = NativeArea.map("frames", (long) PacketVector.CAPACITY * FRAME);
  private final PacketVector v = new PacketVector();

  @AfterEach
  void close() {
    services.close();
    flows.close();
    frames.close();
  }

  private void add(int source, int destination, int ports, int flags) {
    int i = v.size++;
    long frame = frames.address() + (long) i * FRAME;
    long l3 = frame + Ethernet.HEADER;
    long l4 = l3 + Ipv4.HEADER;
    Memory.putIntBe(l3 + Ipv4.SOURCE, source);
    Memory.putIntBe(l3 + Ipv4.DESTINATION, destination);
    Memory.putIntBe(l4, ports);
    Memory.putByte(l4 + 13, flags);
    v.address[i] = frame;
    v.l3[i] = Ethernet.HEADER;
    v.l4[i] = Ethernet.HEADER + Ipv4.HEADER;
    v.addresses[i] = (long) source << 32 | destination & 0xFFFF_FFFFL;
    v.ports[i] = ports;
    v.protocol[i] = TCP;
    v.flags[i] = flags == Tcp.SYN ? PacketVector.TCP_SYN : 0;
    v.inPort[i] = 1;
    v.verdict[i] = Verdict.CONTINUE;
    v.flow[i] = 0;
  }

  private void pass() {
    reader.quiescent();
    nanos += NANOS_A_VECTOR;
    track.process(v);
    service.process(v);
  }

  private void begin() {
    v.size = 0;
  }

  private void connect(int client, int port, int flags) {
    add(client, FRONT, port << 16 | 80, flags);
  }

  private void answer(int client, int port, int flags) {
    add(ENDPOINT, client, 8080 << 16 | port, flags);
  }

  @Test
  void shouldKeepConnectionsAndLetHonestClientsIn() {
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    services.apply(List.of(front()), List.of());
    reader.online();
    for (int n = 0; n < ESTABLISHED; n++) {
      for (int step = 0; step < 3; step++) {
        handshake(CLIENT + n, 4000, step);
      }
    }
    int honest = 0;
    int atOnce = 0;
    int later = 0;
    int failedData = 0;
    int[] waiting = new int[ROUND_TRIP];
    int[] again = new int[ROUND_TRIP];
    for (int vector = 0; vector < SYNS / 250; vector++) {
      begin();
      for (int k = 0; k < 250; k++) {
        connect(random.nextInt(), random.nextInt(1024, 65_536), Tcp.SYN);
      }
      int one = random.nextInt(ESTABLISHED);
      connect(CLIENT + one, 4000, Tcp.ACK);
      answer(CLIENT + one, 4000, Tcp.ACK);
      connect(CLIENT + 0x1_0000 + vector % 0xFFFF, 5000, Tcp.SYN);
      pass();
      failedData += v.flow[250] == 0 || v.flow[251] == 0 ? 1 : 0;
      // An honest client's SYN, its answer at once, and its ACK a round trip later. Where a flow
      // had to give way meanwhile, the client's second SYN follows, as after a second.
      int slot = vector % ROUND_TRIP;
      int client = waiting[slot];
      int late = again[slot];
      waiting[slot] = CLIENT + 0x1_0000 + vector % 0xFFFF;
      again[slot] = 0;
      if (client != 0) {
        honest++;
        if (finish(client)) {
          atOnce++;
        } else {
          begin();
          connect(client, 5000, Tcp.SYN);
          pass();
          again[slot] = client;
        }
      }
      if (late != 0 && finish(late)) {
        later++;
      }
      assertTrue(flows.size() <= TABLE, "seed " + seed);
    }
    System.out.printf(
        "%d SYNs at %d flows: of %d honest connections %d at the first try, %d at the second,"
            + " %d of %d packets lost, %d flows gave way%n",
        SYNS, TABLE, honest, atOnce, later, failedData, SYNS / 250, flows.evicted());
    assertEquals(0, failedData, "seed " + seed);
    int admitted = atOnce + later;
    assertTrue(admitted >= honest * 0.99, admitted + " of " + honest + ", seed " + seed);
    assertTrue(flows.evicted() > SYNS / 2, "the flood did not fill the table");
    assertTrue(flows.bytes() <= 256L * TABLE, "memory");
    int established =
        flows.copies(f -> f.state() == FlowState.ESTABLISHED, TABLE, track.tick()).size();
    assertTrue(established >= ESTABLISHED, established + " established, seed " + seed);
    // The flood is over: half-open flows go after their time, 120 s, the others stay.
    for (int tick = 0; tick < 600; tick++) {
      begin();
      nanos += 268_435_456L;
      reader.quiescent();
      for (int k = 0; k < 1 + TABLE / 2048; k++) {
        track.process(v);
      }
    }
    int left = flows.size();
    assertTrue(left >= ESTABLISHED && left <= established, left + " left, seed " + seed);
  }

  /** The server's answer and the client's ACK; and the end, so that they do not fill the table. */
  private boolean finish(int client) {
    begin();
    answer(client, 5000, Tcp.SYN | Tcp.ACK);
    connect(client, 5000, Tcp.ACK);
    pass();
    boolean whole = v.flow[0] != 0 && v.flow[1] != 0;
    if (whole) {
      begin();
      connect(client, 5000, Tcp.RST);
      pass();
    }
    return whole;
  }

  private void handshake(int client, int port, int step) {
    begin();
    switch (step) {
      case 0 -> connect(client, port, Tcp.SYN);
      case 1 -> answer(client, port, Tcp.SYN | Tcp.ACK);
      default -> connect(client, port, Tcp.ACK);
    }
    pass();
    assertTrue(v.flow[0] != 0, "step " + step + " of a handshake");
  }

  private static FrontSpec front() {
    return new FrontSpec(
        "default/web:http",
        FrontKind.CLUSTER_IP,
        InetAddress.ofLiteral("10.96.0.10"),
        TCP,
        80,
        List.of(new InetSocketAddress(InetAddress.ofLiteral("10.2.0.3"), 8080)),
        false,
        false);
  }
}
