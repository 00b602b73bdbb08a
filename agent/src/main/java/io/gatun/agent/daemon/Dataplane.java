package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.agent.host.HostPair;
import io.gatun.control.kernel.SwitchPlan;
import io.gatun.ffm.Libc;
import io.gatun.flow.AddressWords;
import io.gatun.pipeline.OwnAddresses;
import io.gatun.port.InterfacePort;
import io.gatun.port.xdp.XdpPort;
import io.gatun.worker.Worker;
import io.gatun.worker.WorkerCounters;
import java.net.InetAddress;
import java.nio.CharBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything that packets touch: {@link Tables}, the {@link Crew} of workers, and here the ports by
 * which it comes and goes. Built, started and ended by one thread.
 */
final class Dataplane {
  /**
   * The host's port: the highest number, so that those of the interfaces, which count from 0, may
   * grow.
   */
  static final int HOST_PORT = WorkerCounters.PORTS - 1;

  private static final int CLOSING_TOGETHER = 32;

  private final Tables tables;
  private final Leases leases;
  private final Drivers drivers;
  private final Crew crew;
  private final Map<Integer, InterfacePort> ports = new ConcurrentHashMap<>();

  private final List<Supplier<InterfacePort>> prepared = new ArrayList<>();
  private final List<Worker> owners = new ArrayList<>();
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
    tables = new Tables(configuration, succeeds);
    leases = new Leases(bpf);
    int workers = configuration.workers().count();
    drivers = new Drivers(interfaces, rules, pair != null, workers, leases, inheritance);
    // What uplinks leave to the kernel is told to every driver before the first frame comes.
    if (drivers.has(Driver.XDP)) {
      leases.stubs();
    }
    if (drivers.has(Driver.PACKET)) {
      leases.uplinks();
    }
    crew = new Crew(tables, drivers, configuration.workers(), configuration.clampMss());
    crew.describe(HOST_PORT, drivers.host() == Driver.XDP, true);
    this.interfaces = List.copyOf(interfaces);
    this.pair = pair;
  }

  /** Does all that can be done while a predecessor still has the interfaces. */
  void prepare() {
    try {
      for (Interfaces.Taken taken : interfaces) {
        describe(taken);
        Worker owner = crew.owner(taken.port().number());
        prepared.add(drivers.prepare(taken, owner));
        owners.add(owner);
      }
      HostPair toHost = pair;
      if (toHost != null) {
        prepared.add(drivers.prepareHost(toHost, crew.first()));
        owners.add(crew.first());
        crew.hostPort(HOST_PORT);
        tables.sources().host(HOST_PORT, HostPair.FAR4, HostPair.FAR6);
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
        crew.open(port, owners.get(i));
      }
    } catch (RuntimeException e) {
      abandon(e);
      throw e;
    }
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

  private void describe(Interfaces.Taken taken) {
    // A packet port knows what is partial, others have to look.
    boolean partial = taken.veth() && taken.driver() == Driver.XDP;
    crew.describe(taken.port().number(), partial, taken.role() == Role.UPLINK);
  }

  /** Takes an interface while the workers run; returns when its port has its worker. */
  InterfacePort take(Interfaces.Taken taken) {
    describe(taken);
    InterfacePort port = drivers.open(taken, crew.owner(taken.port().number()));
    ports.put(port.number(), port);
    crew.add(port);
    return port;
  }

  /** Gives an interface back while the workers run: it is the kernel's, if it is still there. */
  void give(InterfacePort port) {
    crew.remove(port);
    ports.remove(port.number());
    drivers.closed(port.number());
    port.detach();
  }

  /** Starts the workers, pinned as the configuration says. */
  void start(GatunConfiguration.Workers wanted) {
    tables.flowKeeper().start();
    crew.start(wanted);
  }

  /** What a predecessor had taken and we have not is the kernel's again. */
  void giveTheRest() {
    leases.only(ports.values().stream().map(InterfacePort::name).toList());
  }

  /** False, with nothing changed, when the driver does not take it: its interface may be going. */
  boolean switching(SwitchPlan plan) {
    Map<String, Collection<Long>> macs = new HashMap<>();
    Map<Integer, String> domains = new HashMap<>();
    for (SwitchPlan.Domain domain : plan.domains()) {
      macs.put(domain.name(), domain.board().macs());
      domain.devices().keySet().forEach(number -> domains.put(number, domain.name()));
    }
    Map<String, String> members = new HashMap<>();
    ports.forEach((number, port) -> {
      String domain = domains.get(number);
      if (domain != null && !(port instanceof XdpPort)) {
        members.put(port.name(), domain);
      }
    });
    if (!leases.switching(macs, members)) {
      return false;
    }
    ports.forEach((number, port) -> {
      if (port instanceof XdpPort each) {
        String domain = domains.get(number);
        each.switching(domain == null ? null : macs.get(domain));
      }
    });
    crew.switchboard(plan.board());
    return true;
  }

  /** What workers look things up in. */
  Tables tables() {
    return tables;
  }

  /** Those who do. */
  Crew crew() {
    return crew;
  }

  /** The node's primary addresses: what masqueraded flows and our ICMP errors come from. */
  void nodeAddresses(@Nullable InetAddress ipv4, @Nullable InetAddress ipv6) {
    tables.sources().set(ipv4, ipv6);
    OwnAddresses own =
        new OwnAddresses(
            ipv4 == null ? 0 : (int) AddressWords.low(ipv4),
            ipv6 == null ? 0 : AddressWords.high(ipv6),
            ipv6 == null ? 0 : AddressWords.low(ipv6));
    crew.ownAddresses(own);
  }

  /** By what driver the host's port is opened. */
  Driver hostDriver() {
    return drivers.host();
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

  private boolean stopWorkers() {
    tables.flowKeeper().close();
    return crew.stop();
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
    tables.forgetFlows();
  }
}
