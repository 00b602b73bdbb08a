package io.gatun.control.kernel;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.BridgePort;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.control.kernel.KernelTables.Rule;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.tunnel.TunnelTable;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which routes the data path should have, worked out from the kernel's tables, the configuration
 * and the taken ports; for one thread. Only what a change touches is worked out again.
 *
 * <p>A connected network is one route to {@link Target.OnLink} and a host route for each neighbour
 * that is known. A route by a device that is not ours leads to the host, whose kernel has it. Of
 * two origins of one prefix the first of these counts: the kernel's local table, the configuration,
 * the kernel's main table, a neighbour.
 */
final class RoutePlan implements KernelState.Observer {
  private final KernelState state = new KernelState(this);
  private final Devices devices = new Devices(state);
  private final PreferredSources sources = new PreferredSources(state);
  private final Tunnels tunnels;
  private final RouteTargets targets;
  private final FibWriter writer;
  private final Adjacency local;
  private final List<StaticRoute> staticRoutes;
  private final List<StaticNeighbour> staticNeighbours;

  private final Map<Target.Hop, MacAddress> macs = new HashMap<>();
  private final Map<Target.Hop, MacAddress> configured = new HashMap<>();
  private final AddressIndex known = new AddressIndex();

  /** Where routes lead, without those of neighbours. */
  private final PrefixTable<Target> routes = new PrefixTable<>();

  /** Prefixes of the local table that are no single address: what is inside is the host's. */
  private final PrefixTable<Target> wideLocal = new PrefixTable<>();

  private final Map<Prefix, Target> fixed = new HashMap<>();
  private final Dependents dependents = new Dependents();

  /** Of neighbours: a packet may be waiting. */
  private final Set<Prefix> urgent = new LinkedHashSet<>();

  private final Set<Prefix> dirty = new LinkedHashSet<>();
  private final Set<Target> dirtyTargets = new LinkedHashSet<>();
  private boolean fixedDirty = true;

  RoutePlan(
      Fib fib,
      @Nullable TunnelTable tunnelTable,
      Adjacency local,
      List<StaticRoute> staticRoutes,
      List<StaticNeighbour> staticNeighbours) {
    tunnels = new Tunnels(state, devices, this, tunnelTable);
    targets = new RouteTargets(state, devices, tunnels);
    this.local = local;
    this.staticRoutes = List.copyOf(staticRoutes);
    this.staticNeighbours = List.copyOf(staticNeighbours);
    writer = new FibWriter(fib, this::adjacency, this::released);
  }

  KernelState state() {
    return state;
  }

  PreferredSources sources() {
    return sources;
  }

  Devices devices() {
    return devices;
  }

  Tunnels tunnels() {
    return tunnels;
  }

  FibWriter writer() {
    return writer;
  }

  /** What the ports are from now on. */
  void ports(List<TakenPort> before, List<TakenPort> taken) {
    devices.ports(taken);
    Set<TakenPort> different = new HashSet<>(before);
    different.addAll(taken);
    different.removeIf(port -> before.contains(port) && taken.contains(port));
    for (TakenPort port : different) {
      device(Devices.device(port));
    }
    configured.keySet().forEach(hop -> known.remove(hop.address(), hop.device()));
    configured.keySet().forEach(this::neighbour);
    configured.clear();
    for (StaticNeighbour neighbour : staticNeighbours) {
      TakenPort port = devices.port(neighbour.dev());
      if (port != null) {
        Target.Hop hop = new Target.Hop(Devices.device(port), neighbour.ip());
        configured.put(hop, neighbour.mac());
        known.add(hop.address(), hop.device());
        neighbour(hop);
      }
    }
    // Those that both know were taken out of the index with the configured ones.
    macs.keySet().forEach(hop -> known.add(hop.address(), hop.device()));
    fixedDirty = true;
  }

  // What changes touch.

  @Override
  public void link(@Nullable Link before, @Nullable Link after) {
    Link link = after != null ? after : before;
    if (link == null) {
      return;
    }
    device(link.ifIndex());
    if (before != null && before.master() != 0) {
      device(before.master());
    }
  }

  /** The device, and the bridge that it is a port of, may mean something else now. */
  private void device(int device) {
    tunnels.device(device);
    dirty.addAll(dependents.of(new RouteTargets.OnDevice(device)));
    dirtyTargets.addAll(writer.targets(device));
    for (int bridge : devices.bridges(device)) {
      tunnels.device(bridge);
      dirty.addAll(dependents.of(new RouteTargets.OnDevice(bridge)));
      dirtyTargets.addAll(writer.targets(bridge));
    }
  }

  @Override
  public void addresses() {
    tunnels.addressesChanged(); // for routes the local table says what they mean
    sources.addresses();
    if (sources.isHeard()) {
      dirty.addAll(state.prefixes());
    }
  }

  @Override
  public void routes(Prefix prefix) {
    dirty.add(prefix);
    int bits = prefix.address().getAddress().length * 8;
    if (prefix.length() < bits && !prefix.address().isLoopbackAddress()) {
      boolean wide = state.routes(prefix).stream().anyMatch(Route::localTable);
      Target before = wideLocal.set(prefix, wide && isOurs(prefix.address()) ? Target.LOCAL : null);
      if (wide != (before != null)) {
        state.prefixes().stream()
            .filter(inside -> prefix.contains(inside.address()))
            .forEach(dirty::add);
        fixedDirty = true;
      }
    }
  }

  @Override
  public void nextHop(int id) {
    dirty.addAll(dependents.of(new RouteTargets.OnNextHop(id)));
  }

  @Override
  public void neighbour(@Nullable Neighbour before, @Nullable Neighbour after) {
    Neighbour neighbour = after != null ? after : before;
    if (neighbour == null) {
      return;
    }
    Target.Hop hop = new Target.Hop(neighbour.ifIndex(), neighbour.address());
    MacAddress mac = after == null ? null : after.mac();
    MacAddress was = mac == null ? macs.remove(hop) : macs.put(hop, mac);
    if (mac != null) {
      known.add(hop.address(), hop.device());
    } else if (!configured.containsKey(hop)) {
      known.remove(hop.address(), hop.device());
    }
    if (mac == null ? was != null : !mac.equals(was)) {
      neighbour(hop);
    }
  }

  private void neighbour(Target.Hop hop) {
    tunnels.neighbour(hop);
    dirtyTargets.add(hop);
    urgent.add(Prefix.of(hop.address()));
  }

  @Override
  public void forwarding(Forwarding entry) {
    int device = entry.master();
    if (device != 0) {
      devices.forwarding(entry);
      tunnels.device(device);
    } else {
      device = entry.ifIndex();
      tunnels.forwarding(entry);
    }
    for (Target target : writer.targets(device)) {
      if (target instanceof Target.Hop hop && entry.mac().equals(mac(hop))) {
        dirtyTargets.add(target);
      }
    }
  }

  @Override
  public void bridgePort(BridgePort port) {
    // What is switched is another's: see SwitchPlan.
  }

  @Override
  public void rule(Rule rule, boolean removed) {
    // Not obeyed; the mirror says so.
  }

  @Override
  public void settings(KernelTables.Settings settings) {
    // Which sources a port is believed is another's: see ReversePaths.
  }

  // Working out.

  boolean isClean() {
    return urgent.isEmpty()
        && dirty.isEmpty()
        && dirtyTargets.isEmpty()
        && tunnels.isClean()
        && !fixedDirty;
  }

  /**
   * Works out what is touched, about {@code most} prefixes of it; returns how many routes and
   * adjacencies changed.
   */
  int apply(int most) {
    int changes = 0;
    if (fixedDirty) {
      fixedDirty = false;
      fixed();
    }
    changes += refresh();
    for (int i = 0; i < most && !(urgent.isEmpty() && dirty.isEmpty()); i++) {
      Iterator<Prefix> first = (urgent.isEmpty() ? dirty : urgent).iterator();
      Prefix prefix = first.next();
      first.remove();
      changes += update(prefix) ? 1 : 0;
    }
    return changes + refresh();
  }

  /** Next hops that mean something else now; tunnels first, since next hops lead through them. */
  private int refresh() {
    int changes = 0;
    dirtyTargets.addAll(tunnels.refresh());
    for (Target target : dirtyTargets) {
      changes += writer.refresh(target) ? 1 : 0;
    }
    dirtyTargets.clear();
    return changes;
  }

  private boolean update(Prefix prefix) {
    Target own = explicit(prefix);
    Target before = routes.set(prefix, own);
    if (!Objects.equals(own, before)) {
      tunnels.routes(prefix);
    }
    if (own instanceof Target.OnLink != before instanceof Target.OnLink
        || (own != null && !own.equals(before) && own instanceof Target.OnLink)
        || (own == null) != (before == null)) {
      known.within(
          prefix,
          address -> {
            Prefix host = Prefix.of(address);
            if (!host.equals(prefix)) {
              dirty.add(host);
            }
          });
      fixedDirty |= staticRoutes.stream().anyMatch(route -> route.dev() == null);
    }
    if (sources.isHeard()) {
      sources.set(prefix, own == null ? null : source(prefix));
    }
    Target target = own != null ? own : neighbours(prefix);
    Target was = writer.set(prefix, target);
    return target == null ? was != null : !target.equals(was);
  }

  /** The configuration's routes: those without a device depend on where the next hop is. */
  private void fixed() {
    Map<Prefix, Target> now = new HashMap<>();
    for (StaticRoute route : staticRoutes) {
      String dev = route.dev();
      InetAddress via = route.via();
      TakenPort port = dev == null ? null : devices.port(dev);
      Integer device = port == null ? null : (Integer) Devices.device(port);
      if (dev == null && via != null) {
        device = deviceOf(via, now);
      }
      if (device != null) {
        now.put(route.to(), RouteTargets.hop(device, route.to(), via));
      }
    }
    dirty.addAll(fixed.keySet());
    dirty.addAll(now.keySet());
    fixed.clear();
    fixed.putAll(now);
  }

  private @Nullable Integer deviceOf(InetAddress via, Map<Prefix, Target> alsoHere) {
    for (Map.Entry<Prefix, Target> route : alsoHere.entrySet()) {
      if (route.getValue() instanceof Target.OnLink(int on) && route.getKey().contains(via)) {
        return on;
      }
    }
    return switch (lookup(via)) {
      case Target.OnLink(int on) -> on;
      case Target.Hop hop -> hop.device();
      case null, default -> null;
    };
  }

  /** Where routes alone lead {@code address}. */
  @Nullable Target lookup(InetAddress address) {
    Map.Entry<Prefix, Target> route = routes.lookup(address, 128);
    return route == null ? null : route.getValue();
  }

  private @Nullable Target explicit(Prefix prefix) {
    List<Route> kernels = state.routes(prefix);
    Set<Object> reasons = new HashSet<>();
    kernels.forEach(route -> targets.reasons(route, reasons));
    dependents.set(prefix, reasons);
    if (!isOurs(prefix.address())) {
      return null;
    }
    Target configuredRoute = fixed.get(prefix);
    if (wideLocal.lookup(prefix.address(), prefix.length()) != null) {
      return configuredRoute != null || !kernels.isEmpty() ? Target.LOCAL : null;
    }
    Route counting = counting(prefix);
    return counting == null ? configuredRoute : targets.of(counting);
  }

  /**
   * The kernel's route to {@code prefix} that counts; null where none does, or a configured one.
   */
  @Nullable Route counting(Prefix prefix) {
    List<Route> kernels = state.routes(prefix);
    if (fixed.containsKey(prefix) && kernels.stream().noneMatch(Route::localTable)) {
      return null;
    }
    return kernels.stream().filter(route -> targets.of(route) != null).findFirst().orElse(null);
  }

  /** The ways that {@code route} says, itself or by a next hop object. */
  List<Way> ways(Route route) {
    return targets.ways(route);
  }

  /** Whom the route to {@code prefix} that counts has as sender; null when it does not matter. */
  private @Nullable InetAddress source(Prefix prefix) {
    Route route = counting(prefix);
    if (route == null || route.source() != null || route.type() != RouteType.UNICAST) {
      return route == null ? null : route.source();
    }
    List<Way> ways = ways(route);
    return ways.isEmpty() ? null : sources.of(prefix, ways.getFirst());
  }

  /** The host route to a known neighbour of a connected network. */
  private @Nullable Target neighbours(Prefix prefix) {
    InetAddress address = prefix.address();
    if (prefix.length() != address.getAddress().length * 8 || !isOurs(address)) {
      return null;
    }
    if (lookup(address) instanceof Target.OnLink(int device)) {
      Target.Hop hop = new Target.Hop(device, address);
      return mac(hop) == null ? null : hop;
    }
    return null;
  }

  /** Neighbours that the configuration names. */
  Set<Target.Hop> configured() {
    return configured.keySet();
  }

  @Nullable MacAddress mac(Target.Hop hop) {
    MacAddress fixedMac = configured.get(hop);
    return fixedMac != null ? fixedMac : macs.get(hop);
  }

  private Adjacency adjacency(Target target) {
    return switch (target) {
      case Target.Hop hop ->
          tunnels.isTunnel(hop.device()) ? tunnels.adjacency(hop, mac(hop), local) : direct(hop);
      case Target.OnLink(int device) ->
          tunnels.isTunnel(device)
              ? new Adjacency.Unresolved(0, 0, devices.mtu(device))
              : devices.adjacency(device, null, local);
      case Target.Local() -> local;
      case Target.Blackhole() -> new Adjacency.Blackhole();
      case Target.Unreachable() -> new Adjacency.Unreachable();
      case Target.Prohibited() -> new Adjacency.Prohibited();
      case Target.Several several ->
          throw new IllegalArgumentException("a group has no adjacency of its own: " + several);
    };
  }

  /** What the data path does for a neighbour on a link, not through a tunnel. */
  Adjacency direct(Target.Hop hop) {
    return devices.adjacency(hop.device(), mac(hop), local);
  }

  private void released(Target target) {
    if (target instanceof Target.Hop hop) {
      tunnels.released(hop);
    }
  }

  /**
   * The stub leaves link-local IPv6 and all multicast to the kernel, so nothing here leads there.
   */
  private static boolean isOurs(InetAddress address) {
    return !address.isMulticastAddress()
        && !address.isLoopbackAddress()
        && !(Addresses.isIpv6(address) && address.isLinkLocalAddress());
  }
}
