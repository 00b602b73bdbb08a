package io.gatun.perf;

import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.fib.RouteStage;
import io.gatun.flow.FlowHash;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.NewFlow;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.ring.qsbr.Qsbr;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * The stages that established Service traffic goes through, with their tables filled, and a memory
 * port reduced to what a port costs the stages: frames in chunks of their own, appended to a
 * vector. One thread.
 */
final class ServicePath implements AutoCloseable {
  /** Frames of a pool on their way at once: 8 MiB of chunks, more than a second-level cache. */
  static final int FRAMES = 4096;

  private static final int CHUNK = 2048;
  private static final int HEADROOM = 256;
  private static final int ENDPOINTS = 100;
  private static final int ENDPOINT = 0x0AF40001; // 10.244.0.1 …
  private static final int ENDPOINT_PORT = 8080;
  private static final int SYN = 2;
  private static final int ACK = 16;

  private final Qsbr qsbr = new Qsbr(1);
  private final Fib fib = new Fib(2 * ENDPOINTS, Runnable::run);
  private final FlowTable flows;
  private final Stage[] stages;
  private final PacketVector packets = new PacketVector();
  private final NativeArea chunks = NativeArea.map("frames", (long) FRAMES * CHUNK);
  private final ServiceTraffic traffic;
  private final int[] flowOf = new int[FRAMES];
  private long random = 20261121;

  ServicePath(ServiceTraffic traffic) {
    this.traffic = traffic;
    flows =
        new FlowTable(traffic.flows() + traffic.flows() / 4 + 64, FlowTimeouts.defaults(), qsbr);
    TrackStage track = new TrackStage(flows, System::nanoTime);
    stages = new Stage[] {new ParseStage(), track, new RewriteStage(), new RouteStage(fib)};
    for (int i = 0; i < ENDPOINTS; i++) {
      int pod =
          fib.adjacencies()
              .add(new Adjacency.Forward(2 + i, 0x02_AAL << 32, 0x02_BBL << 32 | i, 1500));
      fib.put(address(ENDPOINT + i), 32, pod);
    }
    int uplink =
        fib.adjacencies().add(new Adjacency.Forward(1, 0x02_AAL << 32, 0x02_CCL << 32, 1500));
    fib.put(address(0), 0, uplink);
    for (int flow = 0; flow < traffic.flows(); flow++) {
      establish(flow);
    }
  }

  private static InetAddress address(int address) {
    try {
      return InetAddress.getByAddress(ByteBuffer.allocate(4).putInt(address).array());
    } catch (java.net.UnknownHostException never) {
      throw new IllegalArgumentException(never);
    }
  }

  private static int endpoint(int flow) {
    return ENDPOINT + flow % ENDPOINTS;
  }

  /** The flow, and a handshake through the stages: from then on it is an established one. */
  private void establish(int flow) {
    int client = ServiceTraffic.client(flow);
    int there = ServiceTraffic.port(flow) << 16 | ServiceTraffic.PORT;
    int back = ENDPOINT_PORT << 16 | ServiceTraffic.port(flow);
    NewFlow f = new NewFlow();
    f.protocol = IpProtocol.TCP;
    f.sourceLow = client & 0xFFFF_FFFFL;
    f.destinationLow = ServiceTraffic.SERVICE;
    f.ports = there;
    f.hash = FlowHash.of(client, ServiceTraffic.SERVICE, there, IpProtocol.TCP);
    f.newSourceLow = f.sourceLow;
    f.newDestinationLow = endpoint(flow);
    f.newPorts = ServiceTraffic.port(flow) << 16 | ENDPOINT_PORT;
    if (flows.insert(f, 0) <= 0) {
      throw new IllegalStateException("flow %d of the benchmark did not fit".formatted(flow));
    }
    one(client, ServiceTraffic.SERVICE, there, SYN);
    one(endpoint(flow), client, back, SYN | ACK);
    one(client, ServiceTraffic.SERVICE, there, ACK);
  }

  private void one(int source, int destination, int ports, int tcpFlags) {
    long frame = frame(0);
    ServiceTraffic.write(frame, source, destination, ports, tcpFlags);
    if (process(0, 1) != 1) {
      throw new IllegalStateException("a segment of the handshake was not sent on");
    }
  }

  private long frame(int i) {
    return chunks.address() + (long) i * CHUNK + HEADROOM;
  }

  /** Writes a fresh frame of a random flow into every chunk, as a NIC would. */
  void refill() {
    for (int i = 0; i < FRAMES; i++) {
      random ^= random << 13; // xorshift64, Marsaglia 2003
      random ^= random >>> 7;
      random ^= random << 17;
      int flow = (int) ((random >>> 32) * traffic.flows() >>> 32);
      flowOf[i] = flow;
      long from = traffic.template(flow);
      long to = frame(i);
      for (int at = 0; at < ServiceTraffic.FRAME; at += 8) {
        Memory.putLong(to + at, Memory.getLong(from + at));
      }
    }
  }

  /** Takes all frames through the stages, 256 at a time; returns how many are to be sent. */
  int forwardAll() {
    int sent = 0;
    for (int first = 0; first < FRAMES; first += PacketVector.CAPACITY) {
      sent += process(first, PacketVector.CAPACITY);
    }
    return sent;
  }

  private int process(int first, int count) {
    PacketVector v = packets;
    v.size = 0;
    for (int i = first; i < first + count; i++) {
      long frame = frame(i);
      v.append(frame - HEADROOM, frame, ServiceTraffic.FRAME, 0);
    }
    for (Stage stage : stages) {
      stage.process(v);
    }
    int sent = 0;
    for (int i = 0; i < count; i++) {
      sent += v.verdict[i] == Verdict.SEND ? 1 : 0;
    }
    return sent;
  }

  /** The same with the clock read around every stage: nanoseconds of each. */
  long[] forwardAllByStage() {
    long[] nanos = new long[stages.length];
    PacketVector v = packets;
    for (int first = 0; first < FRAMES; first += PacketVector.CAPACITY) {
      v.size = 0;
      for (int i = first; i < first + PacketVector.CAPACITY; i++) {
        long frame = frame(i);
        v.append(frame - HEADROOM, frame, ServiceTraffic.FRAME, 0);
      }
      for (int k = 0; k < stages.length; k++) {
        long start = System.nanoTime();
        stages[k].process(v);
        nanos[k] += System.nanoTime() - start;
      }
    }
    return nanos;
  }

  /** Looks into every frame: translated to its endpoint, one hop less, checksums right. */
  void verify() {
    for (int i = 0; i < FRAMES; i++) {
      long frame = frame(i);
      long l3 = frame + Ethernet.HEADER;
      int flow = flowOf[i];
      boolean right =
          Ipv4.destination(l3) == endpoint(flow)
              && Ipv4.source(l3) == ServiceTraffic.client(flow)
              && Memory.getIntBe(l3 + Ipv4.HEADER)
                  == (ServiceTraffic.port(flow) << 16 | ENDPOINT_PORT)
              && Ipv4.ttl(l3) == 63
              && ServiceTraffic.checksumsRight(frame);
      if (!right) {
        throw new IllegalStateException(
            "frame %d was not translated: %s".formatted(i, Ipv4.print(l3)));
      }
    }
  }

  @Override
  public void close() {
    fib.close();
    flows.close();
    chunks.close();
  }
}
