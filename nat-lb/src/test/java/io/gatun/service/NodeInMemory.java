package io.gatun.service;

import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentTable;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.OwnAddresses;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.port.memory.MemoryPort;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A whole node for tests: tables, all stages in their order, a worker and two memory ports. One
 * thread, which steps it. The addresses are those of {@code src/test/scapy/exact_frames.py}.
 */
final class NodeInMemory implements AutoCloseable {
  /** A pod's veth: 10.1.0.0/16, fd01::/16; checksums may be partial. */
  static final int POD = 0;

  /** Everybody else: 10.2.0.0/16, 192.0.2.0/24, fd02::/16, 2001:db8::/32. */
  static final int UPLINK = 1;

  private static final int FRAMES = 4096;
  private static final int TCP = 6;
  private static final int UDP = 17;

  private final Qsbr qsbr = new Qsbr(1);
  final FlowTable flows;
  final ServiceTable services;
  final List<Stage> stages;
  private final FragmentTable fragments = new FragmentTable();
  private final Fib fib = new Fib(16, Runnable::run);
  private final NativeArea chunks =
      NativeArea.map("node in memory", (long) FRAMES * FrameDepot.CHUNK);
  private final FrameDepot depot = new FrameDepot(chunks.address(), FrameDepot.CHUNK, FRAMES);
  final FramePool pool = new FramePool(depot);
  final Worker worker;

  /** Starts at a second after boot and goes on as the test says. */
  long nanos = 1_000_000_000L;

  NodeInMemory(int maxFlows) {
    flows = new FlowTable(maxFlows, FlowTimeouts.defaults(), qsbr);
    services = new ServiceTable(flows, qsbr);
    SourceAddresses sources = new SourceAddresses();
    sources.set(address("192.168.0.2"), address("fd00::2"));
    sources.ports(61_000, 61_000); // one, so that every test knows which
    Answers answers = new Answers(() -> nanos);
    answers.ownAddresses(new OwnAddresses(0xC0A8_0002, 0xFD00L << 48, 2));
    stages =
        new DataPath(
                new DataPath.Tables(fib, flows, fragments, services, sources),
                new ParseStage(true, false),
                answers,
                DataPath.Overlay.NONE,
                null,
                pool,
                null,
                () -> nanos)
            .stages();
    routes();
    services();
    worker = new Worker("node", pool, qsbr.register(), stages);
    worker.onStart();
  }

  MemoryPort port(int number) {
    return add(new MemoryPort(number, number == POD ? "pod" : "uplink", pool));
  }

  MemoryPort add(MemoryPort port) {
    worker.add(port);
    return port;
  }

  WorkerCounters counters() {
    return worker.counters();
  }

  private void routes() {
    long pod = 0x02CC_0000_0002L;
    long router = 0x02BB_0000_0001L;
    int toPod = adjacency(new Adjacency.Forward(POD, 0xEEEE_EEEE_EEEEL, pod, 1500));
    int out = adjacency(new Adjacency.Forward(UPLINK, 0x02AA_0000_0001L, router, 1500));
    int narrow = adjacency(new Adjacency.Forward(UPLINK, 0x02AA_0000_0001L, router, 88));
    int black = adjacency(new Adjacency.Blackhole());
    int silent = adjacency(new Adjacency.Unresolved(UPLINK, 0x02AA_0000_0001L, 1500));
    route("10.1.0.0/16 fd01::/16", toPod);
    route("10.2.0.0/16 192.0.2.0/24 fd02::/16 2001:db8::/32", out);
    route("10.0.0.0/16 fd00::/16", out); // where the frames come from that a kernel sent
    route("10.7.0.0/16 fd07::/16", narrow);
    route("10.8.0.0/16 fd08::/16", silent);
    route("10.9.0.0/16 fd09::/16", black);
  }

  private int adjacency(Adjacency adjacency) {
    return fib.adjacencies().add(adjacency);
  }

  private void route(String prefixes, int adjacency) {
    for (String prefix : prefixes.split(" ")) {
      int slash = prefix.indexOf('/');
      fib.put(
          address(prefix.substring(0, slash)),
          Integer.parseInt(prefix.substring(slash + 1)),
          adjacency);
    }
  }

  private void services() {
    List<FrontSpec> fronts = new ArrayList<>();
    for (boolean six : new boolean[] {false, true}) {
      String endpoint = six ? "fd02::3" : "10.2.0.3";
      for (int protocol : new int[] {TCP, UDP}) {
        fronts.add(clusterIp(six ? "fd96::10" : "10.96.0.10", protocol, endpoint));
        fronts.add(clusterIp(six ? "fd96::20" : "10.96.0.20", protocol, null));
      }
      fronts.add(clusterIp(six ? "fd96::30" : "10.96.0.30", TCP, six ? "fd01::2" : "10.1.0.2"));
      fronts.add(
          new FrontSpec(
              "default/web:http",
              FrontKind.NODE_PORT,
              address(six ? "fd00::2" : "192.168.0.2"),
              TCP,
              30080,
              List.of(new InetSocketAddress(address(endpoint), 8080)),
              false,
              true));
    }
    services.apply(fronts, List.of());
    services.serviceCidrs(List.of("10.96.0.0/16", "fd96::/16"));
  }

  /** From now on pods reach the outside by the node's address. */
  void egress() {
    services.clients(
        new ClientRules(
            Map.of(),
            List.of(),
            ClientRules.Detect.NOT,
            List.of(),
            List.of(),
            List.of("10.1.0.0/16", "fd01::/16"),
            ClientRules.Egress.BOTH));
  }

  private static FrontSpec clusterIp(String address, int protocol, @Nullable String endpoint) {
    return new FrontSpec(
        "default/web:http",
        FrontKind.CLUSTER_IP,
        address(address),
        protocol,
        80,
        endpoint == null ? List.of() : List.of(new InetSocketAddress(address(endpoint), 8080)),
        false,
        false);
  }

  private static InetAddress address(String literal) {
    return InetAddress.ofLiteral(literal);
  }

  /** Closes the worker; every frame must be back then, or somebody lost one. */
  @Override
  public void close() {
    worker.close();
    int free = depot.available();
    services.close();
    flows.close();
    fib.close();
    fragments.close();
    chunks.close();
    if (free != FRAMES) {
      throw new IllegalStateException(FRAMES - free + " frames are lost");
    }
  }
}
