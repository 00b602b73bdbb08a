package io.gatun.perf;

import io.gatun.ffm.memory.Memory;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Tcp;
import io.gatun.port.memory.Recording;
import java.util.SplittableRandom;

/**
 * 64-byte TCP frames from many clients to one Service address, in random order, ready to be
 * received. One thread.
 */
final class ServiceTraffic implements AutoCloseable {
  static final int FRAME = 64;
  static final int SERVICE = 0x0A60000A; // 10.96.0.10
  static final int PORT = 80;

  /** At least: 4 MiB, so that frames come from beyond the second-level cache. */
  private static final int FRAMES = 1 << 16;

  private static final int CLIENTS = 0x0A800000; // 10.128.0.0
  private static final int L4 = Ethernet.HEADER + Ipv4.HEADER;

  private final int flows;
  private final int[] flowOf;
  private final Recording recording;

  /** Frames of {@code flows} flows in random order, each flow as often as any other. */
  ServiceTraffic(int flows) {
    this.flows = flows;
    int times = (FRAMES + flows - 1) / flows;
    flowOf = new int[times * flows];
    recording = new Recording(flowOf.length, FRAME);
    SplittableRandom random = new SplittableRandom(20261121);
    for (int i = 0; i < flowOf.length; i++) { // Fisher and Yates, inside out
      int j = random.nextInt(i + 1);
      flowOf[i] = flowOf[j];
      flowOf[j] = i % flows;
    }
    for (int i = 0; i < flowOf.length; i++) {
      int flow = flowOf[i];
      write(recording.frame(i, FRAME), client(flow), SERVICE, port(flow) << 16 | PORT, Tcp.ACK);
    }
  }

  /** Fifty flows a client, as a busy pod has; addresses and ports of their own. */
  static int client(int flow) {
    return CLIENTS + 1 + flow / 50;
  }

  static int port(int flow) {
    return 32768 + (flow % 50) * 61;
  }

  int flows() {
    return flows;
  }

  /** Number of frames in the recording. */
  int frames() {
    return flowOf.length;
  }

  /** The flow of frame {@code i}. */
  int flowOf(int i) {
    return flowOf[i];
  }

  Recording recording() {
    return recording;
  }

  /** A whole frame with right checksums; the payload is zeros. */
  static void write(long frame, int source, int destination, int ports, int tcpFlags) {
    Memory.zero(frame, FRAME);
    Ethernet.destination(frame, 0x02_00_00_00_00_01L);
    Ethernet.source(frame, 0x02_00_00_00_00_02L);
    Ethernet.type(frame, Ethernet.IPV4);
    long l3 = frame + Ethernet.HEADER;
    Ipv4.write(l3, FRAME - Ethernet.HEADER, 0, 64, IpProtocol.TCP, source, destination);
    long l4 = frame + L4;
    Memory.putIntBe(l4, ports);
    Memory.putShortBe(l4 + 12, 0x5000 | tcpFlags);
    Memory.putShortBe(l4 + 14, 0xFFFF);
    Memory.putShortBe(l4 + Tcp.CHECKSUM, transportSum(l3) ^ 0xFFFF);
  }

  /** Whether both checksums are those of the frame as it is now, computed from scratch. */
  static boolean checksumsRight(long frame) {
    long l3 = frame + Ethernet.HEADER;
    return Ipv4.checksumCorrect(l3) && transportSum(l3) == 0xFFFF;
  }

  /** Sum of pseudo-header and segment; 0xFFFF when the checksum in it is right. */
  private static int transportSum(long l3) {
    int bytes = FRAME - L4;
    int sum = IpProtocol.TCP + bytes;
    sum += Checksum.sum(l3 + Ipv4.SOURCE, 8);
    sum += Checksum.sum(l3 + Ipv4.HEADER, bytes);
    sum = (sum & 0xFFFF) + (sum >>> 16);
    return (sum & 0xFFFF) + (sum >>> 16);
  }

  @Override
  public void close() {
    recording.close();
  }
}
