package io.gatun.service;

import io.gatun.packet.PacketBuilder;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.PacketVector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Everything that a worker meets, again and again: hits and replies of both families, new flows
 * that expire again, plain packets, answers, malformed ones and other drops.
 */
final class MixedTraffic {
  private static final int CLIENTS = 2_000;

  /**
   * All clients come by in 16 cycles or so; this long, so that a datagram's flow (30 s) is gone.
   */
  private static final long CYCLE_NANOS = 4_000_000_000L;

  private MixedTraffic() {}

  static void run(NodeInMemory node, long packets) {
    for (long cycle = 0; cycle < packets / PacketVector.CAPACITY; cycle++) {
      node.nanos += CYCLE_NANOS;
      node.worker.doWork();
    }
  }

  /** Every client's datagram opens a flow; between them what is always the same. */
  static List<byte[]> fromPods() {
    List<byte[]> steady =
        List.of(
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4000, 80).flags(Tcp.SYN).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4000, 80).payload(99).bytes(),
            PacketBuilder.ip("fd01::2", "fd96::10").tcp(4000, 80).flags(Tcp.SYN).bytes(),
            PacketBuilder.ip("fd01::2", "fd96::10").tcp(4000, 80).payload(99).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.30").tcp(4001, 80).flags(Tcp.SYN).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(4000, 80).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.7.7").tcp(4000, 80).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.20").tcp(4000, 80).bytes(),
            PacketBuilder.ip("fd01::2", "fd96::10").udp(4000, 81).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").echo(7, 7).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4009, 80).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(4000, 80).ttl(1).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(4000, 80).vlan(7).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(4000, 80).fragment(0, true).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").udp(4000, 80).fragment(1480, false).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.7.0.3").udp(4000, 80).payload(99).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4002, 80).flags(Tcp.SYN).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4002, 80).flags(Tcp.FIN).bytes(),
            PacketBuilder.ip("10.1.0.2", "10.96.0.10").tcp(4003, 80).flags(Tcp.RST).bytes(),
            Arrays.copyOf(PacketBuilder.ip("10.1.0.2", "10.2.0.3").udp(1, 2).bytes(), 30));
    List<byte[]> frames = new ArrayList<>();
    for (int client = 0; client < CLIENTS; client++) {
      boolean six = client % 4 == 3;
      frames.add(
          PacketBuilder.ip(six ? "fd01::2" : "10.1.0.2", six ? "fd96::10" : "10.96.0.10")
              .udp(10_000 + client, 80)
              .bytes());
      frames.add(steady.get(client % steady.size()));
    }
    return frames;
  }

  static List<byte[]> fromOutside() {
    return List.of(
        PacketBuilder.ip("10.2.0.3", "10.1.0.2").tcp(8080, 4000).flags(Tcp.SYN | Tcp.ACK).bytes(),
        PacketBuilder.ip("10.2.0.3", "10.1.0.2").tcp(8080, 4000).payload(500).bytes(),
        PacketBuilder.ip("fd02::3", "fd01::2").tcp(8080, 4000).payload(500).bytes(),
        PacketBuilder.ip("192.0.2.9", "192.168.0.2").tcp(4000, 30080).flags(Tcp.SYN).bytes(),
        PacketBuilder.ip("10.2.0.3", "10.1.0.2")
            .icmpError(
                3, 4, 1400, PacketBuilder.ip("10.1.0.2", "10.2.0.3").tcp(4000, 8080).packet())
            .bytes(),
        PacketBuilder.ip("10.2.0.3", "192.168.0.2").tcp(8080, 4000).payload(9).bytes());
  }
}
