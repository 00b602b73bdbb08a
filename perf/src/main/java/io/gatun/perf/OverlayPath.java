package io.gatun.perf;

import io.gatun.ffm.Libc;
import io.gatun.ffm.memory.NativeArea;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.fib.Questions;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentTable;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.PacketVector;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Verdict;
import io.gatun.port.memory.MemoryPort;
import io.gatun.ring.frame.FrameDepot;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.DataPath;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import io.gatun.tunnel.DecapStage;
import io.gatun.tunnel.EncapStage;
import io.gatun.tunnel.Remote;
import io.gatun.tunnel.Tunnel;
import io.gatun.tunnel.TunnelCounters;
import io.gatun.tunnel.TunnelTable;
import io.gatun.tunnel.Vtep;
import io.gatun.worker.Worker;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * A node in memory whose worker carries {@link OverlayTraffic} through all stages: into tunnels,
 * out of them, or, to compare, from one port to another. One thread.
 */
final class OverlayPath implements AutoCloseable {
  /** What becomes of the frames. */
  enum Way {
    FORWARD,
    ENCAPSULATE,
    DECAPSULATE
  }

  private static final int FRAMES = 4096;
  private static final int IN = 0;
  private static final int OUT = 1;
  private static final int MTU = 1500;

  private final Qsbr qsbr = new Qsbr(1);
  private final Fib fib;
  private final FlowTable flows = new FlowTable(1024, FlowTimeouts.defaults(), qsbr);
  private final ServiceTable services = new ServiceTable(flows, qsbr);
  private final FragmentTable fragments = new FragmentTable();
  private final TunnelTable tunnels;
  private final TunnelCounters counters;
  private final int wake = Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
  private final Questions questions = new Questions("questions", wake);
  private final NativeArea chunks = NativeArea.map("frames", (long) FRAMES * FrameDepot.CHUNK);
  private final FrameDepot depot = new FrameDepot(chunks.address(), FrameDepot.CHUNK, FRAMES);
  private final FramePool pool = new FramePool(depot);
  private final OverlayTraffic traffic;
  private final Worker worker;
  private final MemoryPort out;

  OverlayPath(Way way, int size, int nodes, boolean recorded) {
    fib = new Fib(2 * nodes + 2, Runnable::run);
    tunnels = new TunnelTable(nodes, Runnable::run);
    counters = new TunnelCounters(nodes);
    traffic = new OverlayTraffic(size, nodes, way == Way.DECAPSULATE);
    ParseStage parse = new ParseStage();
    DecapStage decap = new DecapStage(parse, new boolean[] {true}, tunnels, counters, false);
    List<Remote> remotes = new ArrayList<>();
    for (int node = 0; node < nodes; node++) {
      int number = tunnels.add(tunnel(node));
      remotes.add(new Remote(address(OverlayTraffic.remote(node)), OverlayTraffic.VNI, number));
      Adjacency leads =
          way == Way.ENCAPSULATE
              ? new Adjacency.Tunnel(number, 1, 2 + node, MTU - 50)
              : new Adjacency.Forward(OUT, 1, 2 + node, MTU);
      fib.put(address(OverlayTraffic.pods(node)), 24, fib.adjacencies().add(leads));
    }
    decap.vteps(
        List.of(
            new Vtep(
                address(OverlayTraffic.LOCAL),
                OverlayTraffic.PORT,
                OverlayTraffic.VNI,
                OverlayTraffic.VTEP_MAC)));
    decap.remotes(remotes);
    int pod = fib.adjacencies().add(new Adjacency.Forward(OUT, 1, 2, MTU));
    fib.put(address(OverlayTraffic.POD), 32, pod);
    DataPath path =
        new DataPath(
            new DataPath.Tables(fib, flows, fragments, services, new SourceAddresses()),
            parse,
            new Answers(),
            new DataPath.Overlay(decap, new EncapStage(tunnels, counters, false)),
            null,
            pool,
            questions,
            System::nanoTime);
    worker = new Worker("worker", pool, qsbr.register(), path.stages());
    worker.add(MemoryPort.replaying(IN, "in", pool, traffic.recording()));
    out = recorded ? new MemoryPort(OUT, "out", pool) : MemoryPort.swallowing(OUT, "out", pool);
    worker.add(out);
    worker.onStart();
  }

  private static Tunnel tunnel(int node) {
    return new Tunnel(
        OverlayTraffic.VNI,
        address(OverlayTraffic.LOCAL),
        address(OverlayTraffic.remote(node)),
        OverlayTraffic.PORT,
        OUT,
        1,
        2,
        0,
        false,
        MTU - 50);
  }

  private static InetAddress address(int address) {
    return AddressWords.address(false, 0, address & 0xFFFF_FFFFL);
  }

  /** One vector from port to port. */
  int cycle() {
    worker.doWork();
    return PacketVector.CAPACITY;
  }

  /** Throws unless everything that came in went out. */
  void requireAllSent() {
    long received = worker.counters().received();
    long sent = worker.counters().verdicts(Verdict.SEND);
    if (received != sent || worker.counters().transmitted() != sent) {
      throw new IllegalStateException("%d of %d packets were sent on".formatted(sent, received));
    }
  }

  /** The length of the first frame that comes out. */
  int lengthOut() {
    worker.doWork();
    byte[] frame = out.take();
    if (frame == null) {
      throw new IllegalStateException("nothing came out");
    }
    return frame.length;
  }

  @Override
  public void close() {
    worker.close();
    questions.close();
    Libc.close(wake);
    fragments.close();
    services.close();
    fib.close();
    flows.close();
    tunnels.close();
    traffic.close();
    chunks.close();
  }
}
