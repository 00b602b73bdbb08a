package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Idle;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.ffm.Libc;
import io.gatun.fib.Fib;
import io.gatun.fib.RouteStage;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowReversal;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.IcmpErrorStage;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.OwnAddresses;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.port.xdp.Lease;
import io.gatun.port.xdp.OwnTraffic;
import io.gatun.port.xdp.Pins;
import io.gatun.port.xdp.XdpPort;
import io.gatun.port.xdp.XdpRole;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.ring.xdp.Umem;
import io.gatun.service.ServiceStage;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import io.gatun.worker.HandOff;
import io.gatun.worker.Idling;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import io.gatun.worker.WorkerThread;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that packets touch: frames, tables, ports and workers. Built, started and ended by one
 * thread; the tables are written by the control thread only.
 */
final class Dataplane {
  /** A pod each, and the ways out: as many as a leaf of the routes can name. */
  private static final int ADJACENCIES = 32_767;

  /** Frames on their way through a worker, beside those that the ports' rings hold. */
  private static final int FRAMES_IN_FLIGHT = 4096;

  private static final long WORKER_PATIENCE_MILLIS = 1000;

  private final Qsbr qsbr;
  private final Fib fib;
  private final FlowTable flows;
  private final ServiceTable services;
  private final SourceAddresses sources = new SourceAddresses();
  private final Umem umem;
  private final Pins pins;
  private final Lease lease;
  private final OwnTraffic own;
  private final List<Worker> workers = new ArrayList<>();
  private final List<Answers> answers = new ArrayList<>();
  private final List<XdpPort> ports = new ArrayList<>();
  private final List<HandOff> handOffs = new ArrayList<>();
  private final List<WorkerThread> threads = new ArrayList<>();

  /** Takes the interfaces: from the first renewal of the lease on, their frames are ours. */
  Dataplane(GatunConfiguration configuration, List<Interfaces.Taken> interfaces, Pins pins) {
    this.pins = pins;
    int count = configuration.workers().count();
    qsbr = new Qsbr(count);
    // The FIB's own retirement hands over what frees it; QSBR runs it when no worker can look.
    fib = new Fib(ADJACENCIES, release -> qsbr.retire(0, record -> release.run()));
    flows = new FlowTable(configuration.conntrack().maxFlows(), FlowTimeouts.defaults(), qsbr);
    services = new ServiceTable(flows, qsbr);
    sources.ports(configuration.snatPorts().first(), configuration.snatPorts().last());
    int frames = count * FRAMES_IN_FLIGHT;
    for (Interfaces.Taken taken : interfaces) {
      frames += 2 * role(taken).ringSize();
    }
    umem = Umem.create(frames);
    lease = Lease.open(pins);
    own = OwnTraffic.open(pins);
    boolean[] veth = new boolean[interfaces.size()];
    for (int i = 0; i < veth.length; i++) {
      veth[i] = interfaces.get(i).veth();
    }
    for (int i = 0; i < count; i++) {
      workers.add(worker(i, veth));
    }
    connect();
    try {
      for (int i = 0; i < interfaces.size(); i++) {
        open(interfaces.get(i), workers.get(i % count));
      }
    } catch (RuntimeException e) {
      detach();
      throw e;
    }
  }

  private Worker worker(int number, boolean[] veth) {
    TrackStage track = new TrackStage(flows, Libc::monotonicNanos);
    Answers answering = new Answers();
    answers.add(answering);
    List<Stage> stages =
        List.of(
            new ParseStage(veth),
            track,
            new IcmpErrorStage(flows),
            new ServiceStage(services, flows, sources, track, answering),
            new RewriteStage(),
            new RouteStage(fib, answering, new FlowReversal()));
    return new Worker("worker-" + number, new FramePool(umem.depot()), qsbr.register(), stages);
  }

  /** A ring from each worker to each other. */
  private void connect() {
    for (Worker from : workers) {
      for (Worker to : workers) {
        if (from != to) {
          handOffs.add(from.handOffTo(to));
        }
      }
    }
  }

  private void open(Interfaces.Taken taken, Worker owner) {
    XdpPort port =
        XdpPort.open(
            taken.port().number(),
            taken.port().name(),
            taken.port().mac().octets(),
            role(taken),
            umem,
            owner.pool(),
            lease,
            own,
            pins);
    ports.add(port);
    owner.add(port);
    int ring = 0;
    for (Worker from : workers) {
      for (Worker to : workers) {
        if (from != to) {
          if (to == owner) {
            from.route(port.number(), handOffs.get(ring));
          }
          ring++;
        }
      }
    }
  }

  private static XdpRole role(Interfaces.Taken taken) {
    return taken.role() == Role.UPLINK ? XdpRole.UPLINK : XdpRole.POD;
  }

  /** Starts the workers, pinned as the configuration says. */
  void start(GatunConfiguration.Workers wanted) {
    Idling idling = wanted.idle() == Idle.BUSY ? Idling.BUSY : Idling.ADAPTIVE;
    for (int i = 0; i < workers.size(); i++) {
      int cpu = i < wanted.cpus().size() ? wanted.cpus().get(i) : WorkerThread.ANY_CPU;
      threads.add(WorkerThread.start(workers.get(i), idling, cpu));
    }
  }

  Qsbr qsbr() {
    return qsbr;
  }

  Fib fib() {
    return fib;
  }

  FlowTable flows() {
    return flows;
  }

  ServiceTable services() {
    return services;
  }

  /** The node's primary addresses: what masqueraded flows and our ICMP errors come from. */
  void nodeAddresses(@Nullable InetAddress ipv4, @Nullable InetAddress ipv6) {
    sources.set(ipv4, ipv6);
    OwnAddresses own =
        new OwnAddresses(
            ipv4 == null ? 0 : (int) AddressWords.low(ipv4),
            ipv6 == null ? 0 : AddressWords.high(ipv6),
            ipv6 == null ? 0 : AddressWords.low(ipv6));
    answers.forEach(answering -> answering.ownAddresses(own));
  }

  /** What the uplinks leave to the kernel; for the control thread. */
  OwnTraffic own() {
    return own;
  }

  /** Where masqueraded flows come from; for the control thread. */
  SourceAddresses sources() {
    return sources;
  }

  Lease lease() {
    return lease;
  }

  List<XdpPort> ports() {
    return ports;
  }

  List<WorkerThread> threads() {
    return threads;
  }

  List<WorkerCounters> counters() {
    return workers.stream().map(Worker::counters).toList();
  }

  /** Ends the workers; what they held waits in the rings. A stuck one is left behind. */
  private void stopWorkers() {
    try {
      for (WorkerThread thread : threads) {
        thread.stop(WORKER_PATIENCE_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** For a successor: frames are held until it comes or the lease runs out. */
  void release() {
    stopWorkers();
    ports.forEach(XdpPort::release);
  }

  /** Back to the kernel: from the first line on it forwards, afterwards nothing of ours is left. */
  void detach() {
    lease.expire();
    stopWorkers();
    ports.forEach(XdpPort::detach);
    lease.close();
    own.close();
    pins.remove();
  }
}
