package io.gatun.perf;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Udp;
import io.gatun.port.memory.Recording;
import java.util.SplittableRandom;

/**
 * UDP frames of pods to pods behind many other nodes, in random order, bare or as those nodes'
 * kernels would have wrapped them. One thread.
 */
final class OverlayTraffic implements AutoCloseable {
  /** This node in the underlay, and its VTEP. */
  static final int LOCAL = 0xC0A8_000B; // 192.168.0.11

  static final long VTEP_MAC = 0x0A_58_0A_F4_00_00L;
  static final int VNI = 1;
  static final int PORT = 8472;

  /** Pods of this node: where decapsulated packets go. */
  static final int POD = 0x0A_F4_00_0A; // 10.244.0.10

  private static final int OUTER = Ethernet.HEADER + Ipv4.HEADER + Udp.HEADER + 8;

  /** Some MiB of frames: they come from beyond the second-level cache, as from a ring. */
  private static final int BYTES = 1 << 22;

  private final Recording recording;

  /**
   * Frames of {@code size} bytes, wrapped ones 50 more.
   *
   * @param nodes other nodes, each as often as any other
   * @param wrapped from them to our pod; else from our pod to theirs
   */
  OverlayTraffic(int size, int nodes, boolean wrapped) {
    int times = Math.max(1, Math.max(1024, BYTES / size) / nodes);
    int frames = times * nodes;
    int outer = wrapped ? OUTER : 0;
    recording = new Recording(frames, size + outer);
    int[] order = new int[frames];
    SplittableRandom random = new SplittableRandom(20261121);
    for (int i = 0; i < frames; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    for (int i = 0; i < frames; i++) {
      int node = order[i] % nodes;
      int port = 1024 + order[i] % 1000;
      long frame = recording.frame(i, size + outer);
      Memory.zero(frame, size + outer);
      int pod = pods(node) + 10;
      write(
          frame + outer,
          size,
          wrapped ? VTEP_MAC : 0x02_00_00_00_00_01L,
          wrapped ? pod : POD,
          wrapped ? POD : pod,
          port << 16 | 53);
      if (wrapped) {
        wrap(frame, size, node);
      }
    }
  }

  /** The pods of another node, a /24. */
  static int pods(int node) {
    return 0x0B00_0000 + (node << 8); // 11.0.0.0 …
  }

  /** Another node in the underlay. */
  static int remote(int node) {
    return 0xC0A9_0001 + node; // 192.169.0.1 …
  }

  private static void write(
      long frame, int size, long mac, int source, int destination, int ports) {
    Ethernet.destination(frame, mac);
    Ethernet.source(frame, 0x02_00_00_00_00_02L);
    Ethernet.type(frame, Ethernet.IPV4);
    long l3 = frame + Ethernet.HEADER;
    Ipv4.write(l3, size - Ethernet.HEADER, 0, 64, IpProtocol.UDP, source, destination);
    long udp = l3 + Ipv4.HEADER;
    int bytes = size - Ethernet.HEADER - Ipv4.HEADER;
    Memory.putIntBe(udp, ports);
    Memory.putShortBe(udp + Udp.LENGTH, bytes);
    int pseudoHeader = Checksum.pseudoHeaderV4(l3, IpProtocol.UDP, bytes);
    long sum = (long) Checksum.sum(udp, bytes) + pseudoHeader;
    Udp.checksum(udp, Checksum.complementUdp(Checksum.fold(sum)));
  }

  /** As a kernel does without UDP checksums. */
  private static void wrap(long frame, int size, int node) {
    Ethernet.destination(frame, 0x02_00_00_00_00_01L);
    Ethernet.source(frame, 0x02_00_00_00_00_02L);
    Ethernet.type(frame, Ethernet.IPV4);
    long l3 = frame + Ethernet.HEADER;
    Ipv4.write(l3, size + OUTER - Ethernet.HEADER, 0, 64, IpProtocol.UDP, remote(node), LOCAL);
    long udp = l3 + Ipv4.HEADER;
    Memory.putIntBe(udp, (0xC000 | node & 0x3FFF) << 16 | PORT);
    Memory.putShortBe(udp + Udp.LENGTH, size + OUTER - Ethernet.HEADER - Ipv4.HEADER);
    Memory.putIntBe(udp + Udp.HEADER, 0x0800_0000);
    Memory.putIntBe(udp + Udp.HEADER + 4, VNI << 8);
  }

  Recording recording() {
    return recording;
  }

  @Override
  public void close() {
    recording.close();
  }
}
