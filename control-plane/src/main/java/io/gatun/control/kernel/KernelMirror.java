package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.Rule;
import io.gatun.ffm.NativeException;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.fib.SourceChecks;
import io.gatun.tunnel.Remote;
import io.gatun.tunnel.TunnelTable;
import io.gatun.tunnel.Vtep;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the data path's routes and adjacencies as the kernel's tables and the configuration want
 * them; for one thread, the only writer of its {@link Fib}. Only {@link #ask} is for others.
 *
 * <p>A change costs itself: the kernel tells of it, what it touches is worked out again. All tables
 * are read again, on another thread, when the kernel had to drop messages, when it is known to be
 * silent (it removes IPv4 routes of a link that goes down without a word), and once a minute, so
 * that nothing depends on a message for long.
 */
public final class KernelMirror implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KernelMirror.class);

  /** What one cycle takes at most: some ten milliseconds' worth. */
  private static final int MOST = 4096;

  private final KernelSource source;
  private final TableReads reads;
  private final RoutePlan plan;
  private final Inquiries inquiries;
  private final Views views;
  private final List<Consumer<List<InetAddress>>> addressListeners = new ArrayList<>();
  private final List<Runnable> linkListeners = new ArrayList<>();
  private final List<Consumer<List<Vtep>>> vtepListeners = new ArrayList<>();
  private final List<Consumer<List<Remote>>> remoteListeners = new ArrayList<>();
  private final List<Runnable> bridgeListeners = new ArrayList<>();
  private final RuleWarnings ruleWarnings = new RuleWarnings();
  private final ConcurrentLinkedQueue<Runnable> questions = new ConcurrentLinkedQueue<>();
  private List<TakenPort> ports = List.of();
  private List<Address> addresses = List.of();
  private List<InetAddress> localAddresses = List.of();
  private long localVersion;
  private List<Vtep> vteps = List.of();
  private long version;
  private long tunnelVersion;
  private boolean started;
  private boolean addressesTouched;
  private boolean linksTouched;
  private boolean bridgesTouched;

  /** Reads on threads of its own; writes nothing before the first {@link #doWork}. */
  public KernelMirror(
      KernelSource source,
      Fib fib,
      @Nullable TunnelTable tunnels,
      Adjacency local,
      List<TakenPort> ports,
      List<StaticRoute> routes,
      List<StaticNeighbour> neighbours) {
    this(
        source,
        fib,
        tunnels,
        local,
        ports,
        routes,
        neighbours,
        task -> Thread.ofPlatform().name("kernel tables").daemon(true).start(task));
  }

  /**
   * Writes nothing before the first {@link #doWork}.
   *
   * @param tunnels by VXLAN devices; null: those are the kernel's
   * @param local what becomes of packets for this node itself or by interfaces that are not ours
   * @param elsewhere where whole tables are read
   */
  KernelMirror(
      KernelSource source,
      Fib fib,
      @Nullable TunnelTable tunnels,
      Adjacency local,
      List<TakenPort> ports,
      List<StaticRoute> routes,
      List<StaticNeighbour> neighbours,
      Executor elsewhere) {
    this.source = source;
    reads = new TableReads(source, elsewhere);
    plan = new RoutePlan(fib, tunnels, local, routes, neighbours);
    inquiries = new Inquiries(source, plan);
    views = new Views(plan);
    ports(ports);
  }

  /** Ports came or went. */
  public void ports(List<TakenPort> taken) {
    List<TakenPort> before = ports;
    ports = List.copyOf(taken);
    plan.ports(before, ports);
    bridgesTouched = true;
  }

  /** Addresses that packets will be sent to (endpoints): their neighbours are asked for early. */
  public void wanted(Set<InetAddress> addresses) {
    inquiries.wanted(addresses);
  }

  /** A packet to {@code destination} waits for the MAC address of its next hop. */
  public void waiting(InetAddress destination, long nowNanos) {
    switch (plan.lookup(destination)) {
      case Target.Hop hop -> waiting(hop, nowNanos);
      case Target.OnLink(int device) -> inquiries.waiting(device, destination, nowNanos);
      case Target.Several several -> {
        for (Target target : several.hops()) {
          if (target instanceof Target.Hop hop) {
            waiting(hop, nowNanos);
          }
        }
      }
      case null, default -> {
        // Nothing leads there any more.
      }
    }
  }

  private void waiting(Target.Hop hop, long nowNanos) {
    Target.Hop underlay = plan.tunnels().underlay(hop);
    for (Target.Hop asked : underlay == null ? List.of(hop) : List.of(hop, underlay)) {
      if (plan.mac(asked) == null) {
        inquiries.waiting(asked.device(), asked.address(), nowNanos);
      }
    }
  }

  /** Where tunnels to this node end. */
  public List<Vtep> vteps() {
    return vteps;
  }

  /** The same for the other ends of the tunnels that the data path has. */
  public void onRemotes(Consumer<List<Remote>> listener) {
    remoteListeners.add(listener);
  }

  /** Tells {@code listener} of {@link #vteps} whenever they change; on the control thread. */
  public void onVteps(Consumer<List<Vtep>> listener) {
    vtepListeners.add(listener);
  }

  /** Every tunnel that a route leads to. */
  public List<TunnelView> tunnels() {
    return plan.tunnels().views();
  }

  /** Every address that the host has. */
  public List<InetAddress> localAddresses() {
    return localAddresses;
  }

  /**
   * Tells {@code listener} of {@link #localAddresses} on the control thread: with the first read,
   * and whenever they change.
   */
  public void onLocalAddresses(Consumer<List<InetAddress>> listener) {
    addressListeners.add(listener);
  }

  /** The same for links and their addresses; the listener asks {@link #links}. */
  public void onLinks(Runnable listener) {
    linkListeners.add(listener);
  }

  /** Tells {@code listener} on the control thread that {@link #switchPlan} may be another. */
  public void onBridges(Runnable listener) {
    bridgeListeners.add(listener);
  }

  /**
   * What the bridges have us switch; on the control thread.
   *
   * @param switched which taken ports take part
   */
  public SwitchPlan switchPlan(Predicate<TakenPort> switched) {
    return SwitchPlan.of(plan.state(), ports, switched);
  }

  /** MAC addresses of the neighbours that the kernel knows; on the control thread. */
  public Set<Long> neighbourMacs() {
    Set<Long> macs = new HashSet<>();
    for (Neighbour neighbour : plan.state().all(Neighbour.class)) {
      MacAddress mac = neighbour.mac();
      if (mac != null) {
        macs.add(mac.bits());
      }
    }
    return macs;
  }

  /**
   * Has a bridge learn, or keep in mind, that {@code mac} is behind its port; on the control
   * thread.
   */
  public void learn(int device, MacAddress mac, int vlan) {
    source.learn(device, mac, vlan);
  }

  /**
   * Tells {@code listener} from which address the node itself would send to each prefix that it has
   * a route for: null for the less specific one's. Set before the first {@link #doWork}.
   */
  public void onSources(BiConsumer<Prefix, @Nullable InetAddress> listener) {
    plan.sources().onChange(listener);
  }

  /** What the kernel would ask of the sources of packets by a device; on the control thread. */
  public SourceChecks.Check sourceCheck(int ifIndex) {
    return ReversePath.of(plan.state(), ifIndex);
  }

  /** Every link. */
  public List<Link> links() {
    return List.copyOf(plan.state().links());
  }

  /** Every address of every link. */
  public List<Address> addresses() {
    return addresses;
  }

  /** A descriptor that poll(2) finds readable when the kernel has something to tell; -1: none. */
  public int descriptor() {
    return source.descriptor();
  }

  /** Any thread: {@code question}'s answer, found on the control thread. */
  public <T> CompletableFuture<T> ask(Supplier<T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    questions.add(() -> {
      try {
        answer.complete(question.get());
      } catch (RuntimeException e) {
        answer.completeExceptionally(e);
      }
    });
    return answer;
  }

  /** Any thread: {@code task} runs on the control thread, in one of its next cycles. */
  public void run(Runnable task) {
    questions.add(task);
  }

  /** Applies what changed; returns how many routes and adjacencies did. */
  public int doWork(long nowNanos) {
    for (Runnable question = questions.poll(); question != null; question = questions.poll()) {
      question.run();
    }
    int changes = 0;
    if (!started) {
      if (!start(nowNanos)) {
        return 0;
      }
      while (!plan.isClean()) {
        changes += plan.apply(Integer.MAX_VALUE);
      }
    }
    follow();
    readAgain(nowNanos);
    changes += plan.apply(MOST);
    version += changes;
    tell();
    inquiries.doWork(nowNanos, changes > 0);
    return changes;
  }

  /** Whether {@link #doWork} has more to do at once. */
  public boolean isBehind() {
    return !plan.isClean();
  }

  private boolean start(long now) {
    if (!reads.mayTry(now)) {
      return false;
    }
    try {
      apply(reads.read(now));
      started = true;
      return true;
    } catch (UncheckedIOException | NativeException e) {
      reads.failed(e, now);
      return false;
    }
  }

  private void follow() {
    try {
      if (!source.changes(MOST, this::apply)) {
        reads.soon();
      }
    } catch (UncheckedIOException | NativeException e) {
      reads.soon();
      LOG.debug("changes could not be read", e);
    }
  }

  private void apply(KernelChange change) {
    switch (change.entry()) {
      case Link link -> {
        linksTouched = true;
        Link before = plan.state().link(link.ifIndex());
        // IPv4 routes by it go without a word, and next hop objects.
        readSoonIf(before != null && before.up() && (change.removed() || !link.up()));
      }
      case KernelTables.Forwarding forwarding -> bridgesTouched |= forwarding.master() != 0;
      case KernelTables.BridgePort _ -> bridgesTouched = true;
      case Address _ -> {
        addressesTouched = true;
        readSoonIf(change.removed());
      }
      case KernelTables.Settings _ -> linksTouched = true;
      case KernelTables.NextHop _ -> readSoonIf(change.removed());
      case KernelTables.Route route -> localVersion += route.localTable() ? 1 : 0;
      case Rule rule -> {
        if (!change.removed()) {
          ruleWarnings.see(rule);
        }
      }
      default -> {
        // Tells of itself.
      }
    }
    plan.state().apply(change);
  }

  private void apply(KernelTables tables) {
    int differences = plan.state().equal(tables);
    localVersion += differences > 0 ? 1 : 0;
    addressesTouched = true;
    linksTouched = true;
    bridgesTouched = true;
    tables.rules().forEach(ruleWarnings::see);
    LOG.debug("{} differences in {} routes", differences, plan.state().routeCount());
  }

  private void readSoonIf(boolean silent) {
    if (silent) {
      reads.soon();
    }
  }

  private void readAgain(long now) {
    try {
      KernelTables tables = reads.done(now);
      if (tables != null) {
        apply(tables);
      }
    } catch (RuntimeException e) {
      reads.failed(e, now);
    }
    if (started && reads.due(now)) {
      plan.state().watch();
      reads.begin(now);
    }
  }

  private void tell() {
    if (addressesTouched) {
      addresses = plan.state().all(Address.class);
      List<InetAddress> now = addresses.stream().map(Address::address).distinct().toList();
      if (!now.equals(localAddresses) || localAddresses.isEmpty()) {
        localAddresses = now;
        addressListeners.forEach(listener -> listener.accept(now));
      }
    }
    if (plan.tunnels().version() != tunnelVersion) {
      tunnelVersion = plan.tunnels().version();
      List<Remote> now = plan.tunnels().remotes();
      remoteListeners.forEach(listener -> listener.accept(now));
    }
    if (linksTouched || addressesTouched) {
      version++;
      List<Vtep> now = plan.tunnels().vteps();
      if (!now.equals(vteps)) {
        vteps = now;
        vtepListeners.forEach(listener -> listener.accept(now));
      }
      linkListeners.forEach(Runnable::run);
    }
    if (bridgesTouched || linksTouched) {
      bridgeListeners.forEach(Runnable::run);
    }
    addressesTouched = false;
    linksTouched = false;
    bridgesTouched = false;
  }

  /** Another number whenever the local table may have changed; on the control thread. */
  public long localVersion() {
    return localVersion;
  }

  /** Another number whenever routes or links changed; on the control thread. */
  public long version() {
    return version;
  }

  /** Prefixes whose destinations are neighbours on one of {@code devices} themselves. */
  public List<Prefix> direct(Set<String> devices) {
    List<Prefix> found = new ArrayList<>();
    plan.writer()
        .routes()
        .forEach((prefix, target) -> {
          int device =
              switch (target) {
                case Target.OnLink(int on) -> on;
                case Target.Hop hop when hop.address().equals(prefix.address()) -> hop.device();
                default -> 0;
              };
          if (device != 0 && devices.contains(plan.devices().name(device))) {
            found.add(prefix);
          }
        });
    return found;
  }

  // For people; on the control thread.

  /** Every route, sorted by nothing in particular. */
  public List<RouteView> routes() {
    return views.routes();
  }

  /** The route that a packet to {@code address} takes, null for none. */
  public @Nullable RouteView route(InetAddress address) {
    return views.route(address);
  }

  /** Neighbours on devices that are ours. */
  public List<NeighbourView> neighbours() {
    return views.neighbours();
  }

  @Override
  public void close() {
    reads.await();
    source.close();
  }
}
