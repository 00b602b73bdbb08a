package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.agent.config.GatunConfiguration.Idle;
import io.gatun.agent.host.HostPair;
import io.gatun.ffm.Libc;
import io.gatun.fib.Fib;
import io.gatun.fib.RouteStage;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowReversal;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.flow.FragmentStage;
import io.gatun.flow.FragmentTable;
import io.gatun.flow.IcmpErrorStage;
import io.gatun.flow.RewriteStage;
import io.gatun.flow.TrackStage;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.OwnAddresses;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.port.InterfacePort;
import io.gatun.port.xdp.OwnTraffic;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.ServiceStage;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import io.gatun.worker.HandOff;
import io.gatun.worker.Idling;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import io.gatun.worker.WorkerThread;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that packets touch: frames, tables, ports and workers. Built, started and ended by one
 * thread; the tables are written by the control thread only.
 */
final class Dataplane {
  /**
   * The host's port: the highest number, so that those of the interfaces, which count from 0, may
   * grow.
   */
  static final int HOST_PORT = WorkerCounters.PORTS - 1;

  /** A pod each, and the ways out: as many as a leaf of the routes can name. */
  private static final int ADJACENCIES = 32_767;

  private static final long WORKER_PATIENCE_MILLIS = 1000;

  private final Qsbr qsbr;
  private final Fib fib;
  private final FlowTable flows;
  private final FragmentTable fragments = new FragmentTable();
  private final ServiceTable services;
  private final SourceAddresses sources = new SourceAddresses();
  private final Leases leases;
  private final Drivers drivers;
  private final List<Worker> workers = new ArrayList<>();
  private final List<Answers> answers = new ArrayList<>();
  private final List<InterfacePort> ports = new ArrayList<>();
  private final List<HandOff> handOffs = new ArrayList<>();
  private final List<WorkerThread> threads = new ArrayList<>();
  private final List<Interfaces.Taken> interfaces;
  private final @Nullable HostPair pair;

  /**
   * Makes all but the ports, which {@link #open} opens.
   *
   * @param pair what leads to the host, null for nothing
   */
  Dataplane(
      GatunConfiguration configuration,
      List<Interfaces.Taken> interfaces,
      @Nullable HostPair pair,
      Path bpf) {
    int count = configuration.workers().count();
    qsbr = new Qsbr(count);
    // The FIB's own retirement hands over what frees it; QSBR runs it when no worker can look.
    fib = new Fib(ADJACENCIES, release -> qsbr.retire(0, record -> release.run()));
    flows = new FlowTable(configuration.conntrack().maxFlows(), FlowTimeouts.defaults(), qsbr);
    services = new ServiceTable(flows, qsbr);
    sources.ports(configuration.snatPorts().first(), configuration.snatPorts().last());
    leases = new Leases(bpf);
    drivers = new Drivers(interfaces, pair != null, count, leases);
    boolean[] veth = new boolean[HOST_PORT + 1];
    veth[HOST_PORT] = true;
    for (int i = 0; i < interfaces.size(); i++) {
      // A packet port knows what is partial, others have to look.
      veth[i] = interfaces.get(i).veth() && interfaces.get(i).driver() == Driver.XDP;
    }
    for (int i = 0; i < count; i++) {
      workers.add(worker(i, veth, configuration.workers().coalesce()));
    }
    connect();
    if (pair != null || interfaces.stream().anyMatch(taken -> taken.driver() == Driver.XDP)) {
      leases.own(); // its maps are filled before the first frame comes
    }
    this.interfaces = List.copyOf(interfaces);
    this.pair = pair;
  }

  /** Takes the interfaces: from the first renewal of the lease on, their frames are ours. */
  void open() {
    try {
      for (int i = 0; i < interfaces.size(); i++) {
        Worker owner = workers.get(i % workers.size());
        open(drivers.open(interfaces.get(i), owner), owner);
      }
      HostPair toHost = pair;
      if (toHost != null) {
        open(drivers.openHost(toHost, workers.getFirst()), workers.getFirst());
        workers.forEach(worker -> worker.hostPort(HOST_PORT, 0)); // routes have the MACs
        sources.host(HOST_PORT, HostPair.FAR4, HostPair.FAR6);
      }
    } catch (RuntimeException e) {
      detach();
      throw e;
    }
  }

  private Worker worker(int number, boolean[] veth, boolean coalesce) {
    TrackStage track = new TrackStage(flows, Libc::monotonicNanos);
    Answers answering = new Answers();
    answers.add(answering);
    FramePool pool = drivers.pool();
    List<Stage> stages =
        new ArrayList<>(
            List.of(
                new ParseStage(veth),
                new FragmentStage(fragments, Libc::monotonicNanos),
                track,
                new IcmpErrorStage(flows),
                new ServiceStage(services, flows, sources, track, answering),
                new RewriteStage(),
                new RouteStage(fib, answering, new FlowReversal())));
    Stage coalescing = coalesce ? drivers.coalescing(pool) : null;
    if (coalescing != null) {
      stages.add(coalescing);
    }
    return new Worker("worker-" + number, pool, qsbr.register(), stages);
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

  private void open(InterfacePort port, Worker owner) {
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

  /** What the uplinks leave to the kernel, for the control thread; null without XDP ports. */
  @Nullable OwnTraffic own() {
    return leases.ownTraffic();
  }

  /** Where masqueraded flows come from; for the control thread. */
  SourceAddresses sources() {
    return sources;
  }

  Leases leases() {
    return leases;
  }

  List<InterfacePort> ports() {
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
    ports.forEach(InterfacePort::release);
  }

  /** Back to the kernel: from the first line on it forwards, afterwards nothing of ours is left. */
  void detach() {
    leases.expire();
    stopWorkers();
    ports.forEach(InterfacePort::detach);
    leases.remove();
  }
}
