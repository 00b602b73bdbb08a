package io.gatun.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.packet.Ipv4;
import io.gatun.packet.PacketBuilder;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.ring.qsbr.Qsbr;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The stages allocate nothing: hits, replies, new flows, expiry, drops and plain packets. */
class AllocationTest {
  private static final int PACKETS = Boolean.getBoolean("gatun.long") ? 10_000_000 : 200_000;
  private static final int BURST = 64;

  private long nanos = 1L << 40;

  @Test
  void shouldAllocateNothing() {
    Qsbr qsbr = new Qsbr(1);
    try (FlowTable flows = new FlowTable(20_000, FlowTimeouts.defaults(), qsbr);
        ServiceTable services = new ServiceTable(flows, qsbr);
        NativeArea frames = NativeArea.map("test frames", BURST * 512L)) {
      services.apply(
          List.of(front("10.96.0.10", "10.2.0.3"), front("fd00:96::a", "fd00:1::9")), List.of());
      services.serviceCidrs(List.of("10.96.0.0/16"));
      TrackStage track = new TrackStage(flows, () -> nanos);
      Stage[] stages = {
        new ParseStage(),
        track,
        new ServiceStage(services, flows, new SourceAddresses(), track),
        new RewriteStage()
      };
      byte[][] originals = originals();
      PacketVector v = new PacketVector();
      send(stages, v, frames, originals, 200_000);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      // What the stages allocate, they allocate in every round; what the JVM allocates on this
      // thread while it links and compiles does not recur. So the best round is theirs, and on a
      // busy machine the compiler needs many.
      long allocated = Long.MAX_VALUE;
      for (int round = 0; round < 60 && allocated != 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        send(stages, v, frames, originals, PACKETS);
        allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(0, allocated, "bytes allocated for " + PACKETS + " packets");
      assertTrue(flows.size() > 1000, flows.size() + " flows");
    }
  }

  private void send(Stage[] stages, PacketVector v, NativeArea frames, byte[][] from, int packets) {
    for (int sent = 0; sent < packets; sent += BURST) {
      v.size = 0;
      nanos += 1_000_000;
      for (int i = 0; i < BURST; i++) {
        byte[] frame = from[(sent + i) % from.length];
        long at = frames.address() + i * 512L + 128;
        Memory.copyIn(frame, 0, at, frame.length);
        if ((sent + i) % from.length == 0) {
          // Another client every time: a new flow. Source and checksum both change by a carry-free
          // sum.
          int n = (sent + i) / from.length % 10_000;
          int port = Memory.getShortBe(at + 14 + Ipv4.HEADER);
          Memory.putShortBe(at + 14 + Ipv4.HEADER, port + n);
        }
        v.append(at - 128, at, frame.length, 0);
      }
      for (Stage stage : stages) {
        stage.process(v);
      }
    }
  }

  /** The first becomes a new flow each time; hits of both families; plain; a drop. */
  private static byte[][] originals() {
    return new byte[][] {
      PacketBuilder.ipv4("10.1.0.9", "10.96.0.10").udp(20_000, 80).bytes(),
      PacketBuilder.ipv4("10.1.0.2", "10.96.0.10").udp(4000, 80).bytes(),
      PacketBuilder.ipv4("10.2.0.3", "10.1.0.2").udp(8080, 4000).bytes(),
      PacketBuilder.ipv6("fd00::1", "fd00:96::a").udp(4000, 80).bytes(),
      PacketBuilder.ipv6("fd00:1::9", "fd00::1").udp(8080, 4000).bytes(),
      PacketBuilder.ipv4("10.1.0.2", "10.2.0.3").tcp(4000, 80).bytes(),
      PacketBuilder.ipv4("10.1.0.2", "10.96.7.7").tcp(4000, 80).bytes(),
    };
  }

  private static FrontSpec front(String address, String endpoint) {
    return new FrontSpec(
        "default/web:http",
        FrontKind.CLUSTER_IP,
        InetAddress.ofLiteral(address),
        17,
        80,
        List.of(new InetSocketAddress(InetAddress.ofLiteral(endpoint), 8080)),
        false,
        false);
  }
}
