package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.agent.config.GatunConfiguration.Idle;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.agent.host.HostPair;
import io.gatun.bridge.Sightings;
import io.gatun.bridge.Switchboard;
import io.gatun.control.kernel.SwitchPlan;
import io.gatun.ffm.Libc;
import io.gatun.ffm.NativeException;
import io.gatun.fib.Fib;
import io.gatun.fib.Questions;
import io.gatun.fib.lpm.Retirement;
import io.gatun.flow.AddressWords;
import io.gatun.flow.FlowFile;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FragmentTable;
import io.gatun.pipeline.Answers;
import io.gatun.pipeline.OwnAddresses;
import io.gatun.pipeline.ParseStage;
import io.gatun.pipeline.Stage;
import io.gatun.port.InterfacePort;
import io.gatun.ring.frame.FramePool;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.DataPath;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import io.gatun.service.SourceRoutes;
import io.gatun.tunnel.DecapStage;
import io.gatun.tunnel.EncapStage;
import io.gatun.tunnel.Remote;
import io.gatun.tunnel.TunnelCounters;
import io.gatun.tunnel.TunnelTable;
import io.gatun.tunnel.Vtep;
import io.gatun.worker.HandOff;
import io.gatun.worker.Idling;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import io.gatun.worker.WorkerThread;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.nio.CharBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
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

  /** Remote nodes: more than a cluster may have. 2 MB. */
  private static final int TUNNELS = 8192;

  private static final int CLOSING_TOGETHER = 32;

  private static final System.Logger LOG = System.getLogger("gatun");

  private static final long WORKER_PATIENCE_MILLIS = 1000;

  private final Qsbr qsbr;
  private final Fib fib;
  private final TunnelTable tunnels;
  private final @Nullable FlowFile flowFile;
  private final FlowTable flows;
  private final FragmentTable fragments = new FragmentTable();
  private final ServiceTable services;
  private final SourceAddresses sources = new SourceAddresses();
  private final FlowKeeper keeper;
  private final SourceRoutes sourceRoutes;
  private final Leases leases;
  private final Drivers drivers;
  private final int wakeDescriptor =
      (int)
          NativeException.check(
              Libc.eventfd(Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC),
              "eventfd",
              "raise the limit of open files (ulimit -n)");
  private final List<Worker> workers = new ArrayList<>();
  private final List<Answers> answers = new ArrayList<>();
  private final List<DecapStage> decaps = new ArrayList<>();
  private final List<TunnelCounters> tunnelCounters = new ArrayList<>();
  private final List<Questions> questions = new ArrayList<>();
  private final List<Sightings> sightings = new ArrayList<>();

  /** What is switched between bridged ports. */
  private volatile Switchboard board = Switchboard.EMPTY;

  private final Map<Integer, InterfacePort> ports = new ConcurrentHashMap<>();

  /** By port number: what is partial has to be looked for. Set before the port has a worker. */
  private final boolean[] partial = new boolean[WorkerCounters.PORTS];

  /**
   * By port number: leads to other nodes, whose tunnels may end here. Set like {@link #partial}.
   */
  private final boolean[] underlay = new boolean[WorkerCounters.PORTS];

  private final List<Supplier<InterfacePort>> prepared = new ArrayList<>();
  private final List<Worker> owners = new ArrayList<>();
  private final List<HandOff> handOffs = new ArrayList<>();
  private final List<WorkerThread> threads = new ArrayList<>();
  private final List<Interfaces.Taken> interfaces;
  private final @Nullable HostPair pair;

  /**
   * Makes all but the ports, which {@link #open} opens.
   *
   * @param pair what leads to the host, null for nothing
   * @param succeeds a living predecessor has the flows until it lets go of them
   * @param inheritance the sockets that it hands over, null when it has to close them
   */
  Dataplane(
      GatunConfiguration configuration,
      Interfaces rules,
      List<Interfaces.Taken> interfaces,
      @Nullable HostPair pair,
      Path bpf,
      boolean succeeds,
      @Nullable Inheritance inheritance) {
    int count = configuration.workers().count();
    qsbr = new Qsbr(count);
    // The FIB's own retirement hands over what frees it; QSBR runs it when no worker can look.
    Retirement retirement = release -> qsbr.retire(0, record -> release.run());
    fib = new Fib(ADJACENCIES, retirement);
    tunnels = new TunnelTable(TUNNELS, retirement);
    int maxFlows = configuration.conntrack().maxFlows();
    flowFile = flowFile(configuration.conntrack().stateDir(), maxFlows, succeeds);
    flows =
        new FlowTable(FlowTable.FIRST, maxFlows, Settings.timeouts(configuration), qsbr, flowFile);
    services = new ServiceTable(flows, qsbr, flowFile == null ? 0 : flowFile.annex());
    sourceRoutes = new SourceRoutes(retirement::retire);
    sources.routes(sourceRoutes);
    sources.ports(configuration.snatPorts().first(), configuration.snatPorts().last());
    Settings.ephemeralPorts().ifPresent(range -> sources.ephemeral(range.first(), range.last()));
    keeper = new FlowKeeper(flows, services, sources);
    leases = new Leases(bpf);
    drivers = new Drivers(interfaces, rules, pair != null, count, leases, inheritance);
    partial[HOST_PORT] = drivers.host() == Driver.XDP;
    underlay[HOST_PORT] = true;
    // What uplinks leave to the kernel is told to every driver before the first frame comes.
    if (drivers.has(Driver.XDP)) {
      leases.own();
    }
    if (drivers.has(Driver.PACKET)) {
      leases.uplinks();
    }
    for (int i = 0; i < count; i++) {
      workers.add(worker(i, configuration.workers().coalesce()));
    }
    connect();
    this.interfaces = List.copyOf(interfaces);
    this.pair = pair;
  }

  /** Null when there can be none: without it traffic flows, but a restart finds no connections. */
  private static @Nullable FlowFile flowFile(Path directory, int maxFlows, boolean succeeds) {
    try {
      return succeeds
          ? FlowFile.follow(directory, maxFlows, ServiceTable.ANNEX)
          : FlowFile.open(directory, maxFlows, FlowTable.FIRST, ServiceTable.ANNEX);
    } catch (IOException | NativeException e) {
      LOG.log(Level.WARNING, "flows will not survive a restart: {0}", e.getMessage());
      return null;
    }
  }

  /**
   * Takes over the flows that an earlier process left; the tables say which Services are theirs.
   */
  void inheritFlows() {
    flows.inherit();
    services.adoptFlows();
  }

  /** After the end of a living predecessor: nobody else may open the flows. */
  void lockFlows() throws IOException {
    if (flowFile != null) {
      flowFile.lock();
    }
  }

  /** Does all that can be done while a predecessor still has the interfaces. */
  void prepare() {
    try {
      for (Interfaces.Taken taken : interfaces) {
        Worker owner = owner(taken);
        describe(taken);
        prepared.add(drivers.prepare(taken, owner));
        owners.add(owner);
      }
      HostPair toHost = pair;
      if (toHost != null) {
        prepared.add(drivers.prepareHost(toHost, workers.getFirst()));
        owners.add(workers.getFirst());
        workers.forEach(worker -> worker.hostPort(HOST_PORT, 0)); // routes have the MACs
        sources.host(HOST_PORT, HostPair.FAR4, HostPair.FAR6);
      }
    } catch (RuntimeException e) {
      abandon(e);
      throw e;
    }
  }

  /**
   * Takes the interfaces: from the first renewal of the lease on, their frames are ours.
   *
   * @param custodies what a living predecessor has handed over: see {@link Drivers#restore}
   */
  void open(@Nullable CharBuffer custodies) {
    try {
      drivers.restore(custodies);
      for (int i = 0; i < prepared.size(); i++) {
        InterfacePort port = prepared.get(i).get();
        ports.put(port.number(), port);
        open(port, owners.get(i));
      }
    } catch (RuntimeException e) {
      abandon(e);
      throw e;
    }
  }

  private Worker worker(int number, boolean coalesce) {
    Answers answering = new Answers();
    answers.add(answering);
    FramePool pool = drivers.pool();
    Questions asking = new Questions("questions of worker-" + number, wakeDescriptor);
    questions.add(asking);
    Sightings seeing = new Sightings("sightings of worker-" + number, wakeDescriptor);
    sightings.add(seeing);
    ParseStage parse = ParseStage.sharing(partial);
    TunnelCounters counted = new TunnelCounters(TUNNELS);
    tunnelCounters.add(counted);
    DecapStage decap = new DecapStage(parse, underlay, counted);
    decaps.add(decap);
    List<Stage> stages =
        new ArrayList<>(
            new DataPath(
                    new DataPath.Tables(fib, flows, fragments, services, sources),
                    parse,
                    answering,
                    new DataPath.Overlay(decap, new EncapStage(tunnels, counted)),
                    new DataPath.Bridging(() -> board, seeing),
                    pool,
                    asking,
                    Libc::monotonicNanos)
                .stages());
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

  /** Before the workers run. */
  private void open(InterfacePort port, Worker owner) {
    owner.add(port);
    routes(owner).forEach((from, ring) -> from.route(port.number(), ring));
  }

  /** Those that are open now. */
  List<InterfacePort> ports() {
    return List.copyOf(ports.values());
  }

  /** How many frames {@link #frameMemory} has. */
  int frames() {
    return drivers.umem().depot().frames();
  }

  /** The descriptor by which a successor maps the frames of all XDP ports. */
  int frameMemory() {
    return drivers.umem().descriptor();
  }

  /** The worker that a port belongs to goes by its number, so that they are spread evenly. */
  private Worker owner(Interfaces.Taken taken) {
    return workers.get(taken.port().number() % workers.size());
  }

  private InterfacePort open(Interfaces.Taken taken, Worker owner) {
    describe(taken);
    InterfacePort port = drivers.open(taken, owner);
    ports.put(port.number(), port);
    return port;
  }

  /** What the stages know of a port by its number, before its worker has it. */
  private void describe(Interfaces.Taken taken) {
    int number = taken.port().number();
    // A packet port knows what is partial, others have to look.
    partial[number] = taken.veth() && taken.driver() == Driver.XDP;
    underlay[number] = taken.role() == Role.UPLINK;
  }

  /** By which ring each other worker reaches {@code owner}. */
  private Map<Worker, HandOff> routes(Worker owner) {
    Map<Worker, HandOff> routes = new HashMap<>();
    int ring = 0;
    for (Worker from : workers) {
      for (Worker to : workers) {
        if (from != to) {
          if (to == owner) {
            routes.put(from, handOffs.get(ring));
          }
          ring++;
        }
      }
    }
    return routes;
  }

  /** Takes an interface while the workers run; returns when its port has its worker. */
  InterfacePort take(Interfaces.Taken taken) {
    Worker owner = owner(taken);
    InterfacePort port = open(taken, owner);
    await(owner, () -> owner.add(port));
    routes(owner).forEach((from, ring) -> await(from, () -> from.route(port.number(), ring)));
    return port;
  }

  /** Gives an interface back while the workers run: it is the kernel's, if it is still there. */
  void give(InterfacePort port) {
    for (Worker worker : workers) {
      await(
          worker,
          () -> {
            worker.route(port.number(), null);
            worker.remove(port.number());
          });
    }
    ports.remove(port.number());
    port.detach();
  }

  /** Runs {@code command} inside the worker's cycle and waits for its end. */
  private static void await(Worker worker, Runnable command) {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    boolean accepted =
        worker.submit(() -> {
          command.run();
          done.complete(true);
        });
    try {
      if (accepted) {
        done.get(WORKER_PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // As if it had not been accepted.
    }
    throw new IllegalStateException(worker.roleName() + " takes no commands");
  }

  /** Starts the workers, pinned as the configuration says. */
  void start(GatunConfiguration.Workers wanted) {
    keeper.start();
    Idling idling = wanted.idle() == Idle.BUSY ? Idling.BUSY : Idling.ADAPTIVE;
    for (int i = 0; i < workers.size(); i++) {
      int cpu = i < wanted.cpus().size() ? wanted.cpus().get(i) : WorkerThread.ANY_CPU;
      threads.add(WorkerThread.start(workers.get(i), idling, cpu));
    }
  }

  /** What a predecessor had taken and we have not is the kernel's again. */
  void giveTheRest() {
    leases.only(ports.values().stream().map(InterfacePort::name).toList());
  }

  /** An eventfd by which workers wake the control thread. */
  int wakeDescriptor() {
    return wakeDescriptor;
  }

  /** Hands over for what neighbours packets wait; returns how many. On the control thread. */
  int questions(Questions.Consumer consumer) {
    int count = 0;
    for (Questions asking : questions) {
      count += asking.poll(consumer);
    }
    return count;
  }

  /** Hands over addresses that bridges have not learnt; returns how many. On the control thread. */
  int sightings(Sightings.Consumer consumer) {
    int count = 0;
    for (Sightings seeing : sightings) {
      count += seeing.poll(consumer);
    }
    return count;
  }

  /** False, with nothing changed, when the driver does not take it: its interface may be going. */
  boolean switching(SwitchPlan plan) {
    Map<String, Collection<Long>> macs = new HashMap<>();
    Map<String, String> members = new HashMap<>();
    for (SwitchPlan.Domain domain : plan.domains()) {
      macs.put(domain.name(), domain.board().macs());
      for (int number : domain.devices().keySet()) {
        InterfacePort port = ports.get(number);
        if (port != null) {
          members.put(port.name(), domain.name());
        }
      }
    }
    if (!leases.switching(macs, members)) {
      return false;
    }
    board = plan.board();
    wakeWorkers();
    return true;
  }

  Switchboard switchboard() {
    return board;
  }

  /** Ends the workers' sleep: what they wait for may be there. */
  void wakeWorkers() {
    workers.forEach(Worker::wakeIfParked);
  }

  Qsbr qsbr() {
    return qsbr;
  }

  Fib fib() {
    return fib;
  }

  /** The overlay's tunnels; for the control thread. */
  TunnelTable tunnels() {
    return tunnels;
  }

  /** Where tunnels end from now on. */
  void vteps(List<Vtep> vteps) {
    decaps.forEach(decap -> decap.vteps(vteps));
  }

  /** Who is at the other ends. */
  void remotes(List<Remote> remotes) {
    decaps.forEach(decap -> decap.remotes(remotes));
  }

  /** Of each worker. */
  List<TunnelCounters> tunnelCounters() {
    return tunnelCounters;
  }

  FlowTable flows() {
    return flows;
  }

  /** How near flows and source ports are to their ends. */
  FlowKeeper flowKeeper() {
    return keeper;
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

  /** By what driver the host's port is opened. */
  Driver hostDriver() {
    return drivers.host();
  }

  /** Which of the node's addresses flows come from, by where they go; for the control thread. */
  SourceRoutes sourceRoutes() {
    return sourceRoutes;
  }

  /** Where masqueraded flows come from; for the control thread. */
  SourceAddresses sources() {
    return sources;
  }

  Leases leases() {
    return leases;
  }

  /** The host's port, null when there is none. */
  @Nullable InterfacePort hostPort() {
    return ports.get(HOST_PORT);
  }

  /** The port of that number; there must be one. */
  InterfacePort port(int number) {
    return Objects.requireNonNull(ports.get(number));
  }

  List<WorkerThread> threads() {
    return threads;
  }

  List<WorkerCounters> counters() {
    return workers.stream().map(Worker::counters).toList();
  }

  /** Ends the workers; what they held waits in the rings. False: a stuck one is left behind. */
  private boolean stopWorkers() {
    boolean stopped = true;
    keeper.close();
    try {
      for (WorkerThread thread : threads) {
        stopped &= thread.stop(WORKER_PATIENCE_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    return stopped;
  }

  /** A start that failed: what a predecessor holds, or held just now, is not ours to undo. */
  private void abandon(RuntimeException why) {
    try {
      if (leases.until() > Libc.monotonicNanos()) {
        release();
      } else {
        detach();
      }
    } catch (RuntimeException e) {
      why.addSuppressed(e);
    }
  }

  /**
   * For a successor that goes on with the sockets of {@code kept}: the others are closed, and for
   * which socket the kernel holds each frame is returned; null when a worker does not stop.
   */
  @Nullable CharBuffer handOver(List<InterfacePort> kept) {
    boolean stopped = stopWorkers();
    List<InterfacePort> closed = new ArrayList<>(ports.values());
    closed.removeAll(kept);
    release(closed);
    return stopped ? drivers.umem().custodies() : null;
  }

  /** For a successor: frames are held until it comes or the lease runs out. */
  void release() {
    stopWorkers();
    release(ports.values());
  }

  private static void release(Collection<InterfacePort> ports) {
    // To close a socket the kernel waits until no CPU looks at it any more: once for all together.
    if (!ports.isEmpty()) {
      try (ExecutorService closing = Executors.newFixedThreadPool(CLOSING_TOGETHER)) {
        ports.forEach(port -> closing.execute(port::release));
      }
    }
  }

  /** Back to the kernel: from the first line on it forwards, afterwards nothing of ours is left. */
  void detach() {
    leases.expire();
    stopWorkers();
    ports.values().forEach(InterfacePort::detach);
    leases.remove();
    if (flowFile != null) {
      flowFile.remove();
    }
  }
}
