package io.gatun.perf;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.packet.Checksum;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Tcp;

/**
 * 64-byte TCP frames from many clients to one Service address, one template per flow, in native
 * memory. One thread.
 */
final class ServiceTraffic implements AutoCloseable {
  static final int FRAME = 64;
  static final int SERVICE = 0x0A60000A; // 10.96.0.10
  static final int PORT = 80;

  private static final int CLIENTS = 0x0A800000; // 10.128.0.0
  private static final int L4 = Ethernet.HEADER + Ipv4.HEADER;
  private static final int ACK = 0x10;

  private final NativeArea templates;
  private final int flows;

  ServiceTraffic(int flows) {
    this.flows = flows;
    templates = NativeArea.map("templates", (long) flows * FRAME);
    for (int flow = 0; flow < flows; flow++) {
      write(template(flow), client(flow), SERVICE, port(flow) << 16 | PORT, ACK);
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

  long template(int flow) {
    return templates.address() + (long) flow * FRAME;
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
    templates.close();
  }
}
