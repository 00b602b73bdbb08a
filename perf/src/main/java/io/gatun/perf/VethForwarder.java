package io.gatun.perf;

import io.gatun.ffm.Libc;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.fib.RouteStage;
import io.gatun.lab.Node;
import io.gatun.pipeline.ParseStage;
import io.gatun.port.xdp.Lease;
import io.gatun.port.xdp.OwnTraffic;
import io.gatun.port.xdp.Pins;
import io.gatun.port.xdp.Stubs;
import io.gatun.port.xdp.XdpInterface;
import io.gatun.port.xdp.XdpPort;
import io.gatun.port.xdp.XdpRole;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.ring.xdp.Umem;
import io.gatun.worker.Idling;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerThread;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;

/**
 * What of Gatun forwards and no more: a worker of its own thread with two AF_XDP ports and the
 * stages that parse and route. Opened, started and closed by one thread.
 */
final class VethForwarder implements AutoCloseable {
  private static final long FAR = 3_600_000_000_000L;
  private static final int FRAMES = 16_384;
  private static final int IN = 0;
  private static final int OUT = 1;

  private final Fib fib;
  private final Umem umem;
  private final Pins pins;
  private final Lease lease;
  private final OwnTraffic own;
  private final Worker worker;
  private final List<XdpPort> ports;
  private final WorkerThread thread;

  VethForwarder(Node node) throws IOException {
    Qsbr qsbr = new Qsbr(1);
    fib = new Fib(16, Runnable::run);
    int next =
        fib.adjacencies()
            .add(new Adjacency.Forward(OUT, VethPath.OUT_MAC, VethPath.NEXT_MAC, 1500));
    fib.put(InetAddress.ofLiteral("10.2.0.0"), 24, next);
    umem = Umem.create(FRAMES);
    pins = Pins.mount(node.runDirectory().resolve("bpf"));
    lease = Lease.open(pins);
    own = OwnTraffic.open(pins);
    FramePool pool = new FramePool(umem.depot());
    worker =
        new Worker(
            "bench",
            pool,
            qsbr.register(),
            List.of(new ParseStage(true, true), new RouteStage(fib)));
    try (NamespaceThread inside = new NamespaceThread(node)) {
      ports =
          List.of(
              inside.call(() -> open(IN, VethPath.IN, VethPath.IN_MAC)),
              inside.call(() -> open(OUT, VethPath.OUT, VethPath.OUT_MAC)));
    }
    ports.forEach(worker::add);
    lease.renew(Libc.monotonicNanos() + FAR);
    thread = WorkerThread.start(worker, Idling.BUSY, VethPath.FORWARDER_CPU);
  }

  private XdpPort open(int number, String name, long mac) {
    XdpInterface wanted = new XdpInterface(number, name, mac, XdpRole.POD);
    return new Stubs(pins, lease, own).attach(wanted).open(umem, worker.pool());
  }

  Worker worker() {
    return worker;
  }

  @Override
  public void close() {
    lease.expire();
    try {
      thread.stop(2000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    ports.forEach(XdpPort::detach);
    lease.close();
    own.close();
    pins.remove();
    worker.close();
    umem.close();
    fib.close();
  }
}
