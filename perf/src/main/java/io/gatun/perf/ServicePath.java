package io.gatun.perf;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.fib.Questions;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentTable;
import io.gatun.packet.Ethernet;
import io.gatun.packet.IpProtocol;
import io.gatun.packet.Ipv4;
import io.gatun.packet.Tcp;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.pipeline.Verdict;
import io.gatun.port.memory.MemoryPort;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.DataPath;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import io.gatun.tunnel.DecapStage;
import io.gatun.tunnel.EncapStage;
import io.gatun.tunnel.TunnelCounters;
import io.gatun.tunnel.TunnelTable;
import io.gatun.worker.Worker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A node in memory: one Service, its endpoints' routes, all stages of the data path in their order,
 * and a worker with memory ports, through which every flow was opened by a handshake. One thread.
 *
 * <p>Three ways through it: {@link #cycle} is the worker's own, with the ports; {@link #bareCycle}
 * is the same worker's without the stages, which is what the ports cost; {@link #byStage} reads the
 * clock around every stage.
 */
final class ServicePath implements AutoCloseable {
  /** Chunks of the node: 8 MiB, more than a second-level cache. */
  private static final int FRAMES = 4096;

  private static final int ENDPOINTS = 100;
  private static final int ENDPOINT = 0x0AF40001; // 10.244.0.1 …
  private static final int ENDPOINT_PORT = 8080;
  private static final int PODS = 1; // the first pod's port
  private static final int POD_PORTS = 8;
  private static final int UPLINK = PODS + POD_PORTS;
  private static final int[] HANDSHAKE = {Tcp.SYN, Tcp.SYN | Tcp.ACK, Tcp.ACK};

  private final Qsbr qsbr = new Qsbr(3);
  private final Qsbr.Reader reader = qsbr.register();
  private final Fib fib = new Fib(2 * ENDPOINTS, Runnable::run);
  private final FragmentTable fragments = new FragmentTable();
  private final int wake = Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
  private final Questions questions = new Questions("questions", wake);
  private final FlowTable flows;
  private final ServiceTable services;
  private final TunnelTable tunnels = new TunnelTable(1, Runnable::run);
  private final List<DataPath.Step> steps;
  private final List<Stage> stages;
  private final PacketVector packets = new PacketVector();
  private final NativeArea chunks = NativeArea.map("frames", (long) FRAMES * FrameDepot.CHUNK);
  private final FrameDepot depot = new FrameDepot(chunks.address(), FrameDepot.CHUNK, FRAMES);
  private final FramePool pool = new FramePool(depot);
  private final ServiceTraffic traffic;
  private final int[] endpointOf;
  private final MemoryPort in;
  private final Worker worker;
  private final Worker bare;

  ServicePath(ServiceTraffic traffic) {
    this.traffic = traffic;
    endpointOf = new int[traffic.flows()];
    flows =
        new FlowTable(traffic.flows() + traffic.flows() / 4 + 64, FlowTimeouts.defaults(), qsbr);
    services = new ServiceTable(flows, qsbr);
    services.apply(List.of(front()), List.of());
    ParseStage parse = new ParseStage();
    steps =
        new DataPath(
                new DataPath.Tables(fib, flows, fragments, services, new SourceAddresses()),
                parse,
                new Answers(),
                new DataPath.Overlay(
                    new DecapStage(parse, new boolean[0], tunnels, new TunnelCounters(1), false),
                    new EncapStage(tunnels, new TunnelCounters(1), false)),
                null,
                pool,
                questions,
                System::nanoTime)
            .steps();
    stages = steps.stream().map(DataPath.Step::stage).toList();
    routes();
    reader.online();
    connect();
    in = MemoryPort.replaying(0, "in", pool, traffic.recording());
    worker = worker("worker", stages);
    bare = worker("bare", List.of(ServicePath::sendAll));
  }

  private static FrontSpec front() {
    List<InetSocketAddress> endpoints =
        IntStream.range(0, ENDPOINTS)
            .mapToObj(i -> new InetSocketAddress(address(ENDPOINT + i), ENDPOINT_PORT))
            .toList();
    return new FrontSpec(
        "default/web:http",
        FrontKind.CLUSTER_IP,
        address(ServiceTraffic.SERVICE),
        IpProtocol.TCP,
        ServiceTraffic.PORT,
        endpoints,
        false,
        false);
  }

  /** A route to each endpoint, as pods have, and one to everything else. */
  private void routes() {
    for (int i = 0; i < ENDPOINTS; i++) {
      int pod = fib.adjacencies().add(forward(PODS + i % POD_PORTS, i));
      fib.put(address(ENDPOINT + i), 32, pod);
    }
    fib.put(address(0), 0, fib.adjacencies().add(forward(UPLINK, ENDPOINTS)));
  }

  private static Adjacency forward(int port, int neighbour) {
    return new Adjacency.Forward(port, 0x02_AAL << 32, 0x02_BBL << 32 | neighbour, 1500);
  }

  private static InetAddress address(int address) {
    try {
      return InetAddress.getByAddress(ByteBuffer.allocate(4).putInt(address).array());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 bytes are an address", e);
    }
  }

  private Worker worker(String name, List<Stage> path) {
    Worker made = new Worker(name, pool, qsbr.register(), path);
    made.add(MemoryPort.replaying(0, "in", pool, traffic.recording()));
    for (int port = PODS; port <= UPLINK; port++) {
      made.add(MemoryPort.swallowing(port, "out" + port, pool));
    }
    made.onStart();
    return made;
  }

  private static void sendAll(PacketVector v) {
    for (int i = 0; i < v.size; i++) {
      v.verdict[i] = Verdict.SEND;
      v.outPort[i] = PODS + i % POD_PORTS;
    }
  }

  /** A handshake of every flow through the stages: from then on they are established ones. */
  private void connect() {
    int flowCount = traffic.flows();
    for (int first = 0; first < flowCount; first += PacketVector.CAPACITY) {
      int end = Math.min(flowCount, first + PacketVector.CAPACITY);
      for (int tcpFlags : HANDSHAKE) {
        begin();
        for (int flow = first; flow < end; flow++) {
          segment(flow, tcpFlags);
        }
        for (Stage stage : stages) {
          stage.process(packets);
        }
        for (int i = 0; i < packets.size; i++) {
          require(packets.verdict[i] == Verdict.SEND, "a segment of a handshake was not sent on");
          if (tcpFlags == Tcp.SYN) {
            endpointOf[first + i] = Ipv4.destination(packets.address[i] + packets.l3[i]);
          }
        }
        end();
      }
    }
    require(flows.size() == flowCount, "not every handshake made a flow");
  }

  /** The server's segment is the one with SYN and ACK. */
  private void segment(int flow, int tcpFlags) {
    long chunk = pool.take();
    long frame = chunk + MemoryPort.HEADROOM;
    int client = ServiceTraffic.client(flow);
    int port = ServiceTraffic.port(flow);
    if (tcpFlags == (Tcp.SYN | Tcp.ACK)) {
      ServiceTraffic.write(frame, endpointOf[flow], client, ENDPOINT_PORT << 16 | port, tcpFlags);
    } else {
      int ports = port << 16 | ServiceTraffic.PORT;
      ServiceTraffic.write(frame, client, ServiceTraffic.SERVICE, ports, tcpFlags);
    }
    packets.append(chunk, frame, ServiceTraffic.FRAME, 0);
  }

  private static void require(boolean condition, String otherwise) {
    if (!condition) {
      throw new IllegalStateException(otherwise);
    }
  }

  private void begin() {
    reader.quiescent();
    packets.size = 0;
  }

  private void end() {
    for (int i = 0; i < packets.size; i++) {
      pool.give(packets.frame[i]);
    }
  }

  /** One cycle of the worker: a vector received, taken through all stages, and sent. */
  int cycle() {
    reader.quiescent();
    worker.doWork();
    return PacketVector.CAPACITY;
  }

  /** From now on only {@link #cycle} is used: what the tables retire need not wait for others. */
  void workerAlone() {
    bare.onClose();
  }

  /** For a writer beside the worker. */
  ServiceTable services() {
    return services;
  }

  /** Frees what no worker looks at any more; by the writer. */
  void reclaim() {
    qsbr.reclaim();
  }

  /** Packets that the worker dropped. */
  long drops() {
    return worker.counters().dropped();
  }

  /** One cycle of the worker that sends on what it receives. */
  int bareCycle() {
    reader.quiescent();
    bare.doWork();
    return PacketVector.CAPACITY;
  }

  /** Names of the stages, in order. */
  List<String> names() {
    return steps.stream().map(DataPath.Step::name).toList();
  }

  /** Takes one vector through, and adds the nanoseconds of every stage to {@code nanos}. */
  int byStage(long[] nanos) {
    begin();
    in.rx(packets, PacketVector.CAPACITY);
    for (int k = 0; k < nanos.length; k++) {
      long start = System.nanoTime();
      stages.get(k).process(packets);
      nanos[k] += System.nanoTime() - start;
    }
    int count = packets.size;
    end();
    return count;
  }

  /** Throws unless the worker has sent everything that it received. */
  void requireAllSent() {
    long received = worker.counters().received();
    long sent = worker.counters().verdicts(Verdict.SEND);
    require(
        received == sent && worker.counters().transmitted() == sent,
        "%d of %d packets were sent on".formatted(sent, received));
  }

  /** Looks into all frames of the recording: each to its endpoint, checksums right. */
  void verify() {
    MemoryPort all = MemoryPort.replaying(0, "in", pool, traffic.recording());
    for (int seen = 0; seen < traffic.frames(); seen += packets.size) {
      begin();
      all.rx(packets, Math.min(PacketVector.CAPACITY, traffic.frames() - seen));
      for (Stage stage : stages) {
        stage.process(packets);
      }
      for (int i = 0; i < packets.size; i++) {
        verify(i, traffic.flowOf(seen + i));
      }
      end();
    }
  }

  private void verify(int i, int flow) {
    long frame = packets.address[i];
    long l3 = frame + Ethernet.HEADER;
    boolean right =
        packets.verdict[i] == Verdict.SEND
            && Ipv4.destination(l3) == endpointOf[flow]
            && Ipv4.source(l3) == ServiceTraffic.client(flow)
            && Memory.getIntBe(l3 + Ipv4.HEADER)
                == (ServiceTraffic.port(flow) << 16 | ENDPOINT_PORT)
            && Ipv4.ttl(l3) == 63
            && ServiceTraffic.checksumsRight(frame);
    require(right, "frame %d was not translated: %s".formatted(i, Ipv4.print(l3)));
  }

  @Override
  public void close() {
    worker.close();
    bare.close();
    questions.close();
    Libc.close(wake);
    fragments.close();
    services.close();
    tunnels.close();
    fib.close();
    flows.close();
    chunks.close();
  }
}
