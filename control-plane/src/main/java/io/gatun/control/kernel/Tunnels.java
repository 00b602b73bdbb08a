package io.gatun.control.kernel;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.ffm.netlink.VxlanDevice;
import io.gatun.fib.Adjacency;
import io.gatun.tunnel.Remote;
import io.gatun.tunnel.Tunnel;
import io.gatun.tunnel.TunnelTable;
import io.gatun.tunnel.Vtep;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the kernel's VXLAN devices are to the data path; for one thread.
 *
 * <pre>
 *   next hop on a VXLAN device ─ neighbour ─▶ MAC ─ FDB ─▶ remote node ─ route ─▶ underlay's next hop
 *        │                                                   │                        │
 *        └─ adjacency: inner MACs, MTU, number ────▶ a tunnel a remote node: outer headers, port
 * </pre>
 *
 * A tunnel is there while a next hop uses it. When the underlay changes, its line is written anew:
 * one store, whatever the number of routes. What the data path cannot do itself (no such entry, no
 * way of ours to the remote node) is left to the kernel's device.
 */
final class Tunnels {
  private static final Logger LOG = LoggerFactory.getLogger(Tunnels.class);

  /** What names a tunnel: remote node, and by which device and network. */
  private record Key(int device, InetAddress remote, int port, int vni) {}

  private record Place(int device, MacAddress mac) {}

  /** A tunnel in use, and what it depends on. */
  private static final class Use {
    final Set<Target.Hop> hops = new HashSet<>();

    /** Of the table; 0 while there is none. */
    int number;

    @Nullable InetAddress local;

    /** In the underlay; null while nothing of ours leads to the remote node. */
    Target.@Nullable Hop underlay;

    /** What the underlay's next hop is to the data path; null as above. */
    @Nullable Adjacency way;

    int mtu;
  }

  private final KernelState state;
  private final Devices devices;
  private final RoutePlan plan;
  private final @Nullable TunnelTable table;
  private final Map<Place, Forwarding> places = new HashMap<>();
  private final Map<Key, Use> uses = new LinkedHashMap<>();
  private final Map<Target.Hop, Key> byHop = new HashMap<>();
  private final Map<InetAddress, Set<Key>> byRemote = new HashMap<>();
  private final Set<Key> dirty = new LinkedHashSet<>();
  private @Nullable Map<Integer, List<InetAddress>> addresses;
  private boolean full;
  private long version;

  /**
   * Of no use before the first change.
   *
   * @param table null: VXLAN is all the kernel's
   */
  Tunnels(KernelState state, Devices devices, RoutePlan plan, @Nullable TunnelTable table) {
    this.state = state;
    this.devices = devices;
    this.plan = plan;
    this.table = table;
  }

  /** Whether frames for {@code device} are ours to wrap. */
  boolean isTunnel(int device) {
    return vxlan(device) != null;
  }

  private @Nullable VxlanDevice vxlan(int device) {
    Link link = table == null ? null : state.link(device);
    VxlanDevice vxlan = link == null ? null : link.vxlan();
    return vxlan != null && vxlan.plain() && vxlan.port() != 0 ? vxlan : null;
  }

  // What changes touch.

  /** A device learnt, moved or forgot where a MAC address is. */
  void forwarding(Forwarding entry) {
    Place place = new Place(entry.ifIndex(), entry.mac());
    if (state.get(entry.key()) instanceof Forwarding now && now.remote() != null) {
      places.put(place, now);
    } else {
      places.remove(place);
    }
  }

  /** Routes to {@code prefix} lead elsewhere now. */
  void routes(Prefix prefix) {
    if (uses.isEmpty()) {
      return;
    }
    if (prefix.length() == prefix.address().getAddress().length * 8) {
      dirty.addAll(byRemote.getOrDefault(prefix.address(), Set.of()));
      return;
    }
    byRemote.forEach((remote, keys) -> {
      if (prefix.contains(remote)) {
        dirty.addAll(keys);
      }
    });
  }

  /** A neighbour has another MAC address, or none. */
  void neighbour(Target.Hop hop) {
    uses.forEach((key, use) -> {
      if (hop.equals(use.underlay)) {
        dirty.add(key);
      }
    });
  }

  /** A device is another now: a port, a bridge, or a VXLAN device itself. */
  void device(int device) {
    uses.forEach((key, use) -> {
      Target.Hop underlay = use.underlay;
      if (key.device() == device || (underlay != null && underlay.device() == device)) {
        dirty.add(key);
      }
    });
  }

  /** Addresses came or went: outer and inner sources may be among them. */
  void addressesChanged() {
    addresses = null;
    dirty.addAll(uses.keySet());
  }

  /** Nothing is in need of {@link #refresh}. */
  boolean isClean() {
    return dirty.isEmpty();
  }

  /** Works out again what was touched; returns the next hops whose adjacency is to be, too. */
  Collection<Target.Hop> refresh() {
    Set<Target.Hop> hops = new LinkedHashSet<>();
    for (Key key : dirty) {
      Use use = uses.get(key);
      if (use != null) {
        workOut(key, use);
        hops.addAll(use.hops);
      }
    }
    dirty.clear();
    return hops;
  }

  // What routes lead to.

  /**
   * What the data path does for a next hop on a VXLAN device.
   *
   * @param mac null while nobody knows it
   * @param kernels for what the kernel has to send itself
   */
  Adjacency adjacency(Target.Hop hop, @Nullable MacAddress mac, Adjacency kernels) {
    Link link = state.link(hop.device());
    VxlanDevice vxlan = vxlan(hop.device());
    if (link == null || vxlan == null) {
      released(hop);
      return kernels;
    }
    if (mac == null) {
      released(hop);
      return new Adjacency.Unresolved(0, link.mac().bits(), link.mtu());
    }
    Forwarding place = places.get(new Place(hop.device(), mac));
    InetAddress remote = place == null ? null : place.remote();
    if (place == null || remote == null || remote.isMulticastAddress()) {
      released(hop);
      return kernels;
    }
    int port = place.port() == 0 ? vxlan.port() : place.port();
    int vni = place.vni() == 0 ? vxlan.vni() : place.vni();
    Use use = acquired(hop, new Key(hop.device(), remote, port, vni));
    return switch (use.way) {
      case Adjacency.Forward _ when use.number != 0 ->
          new Adjacency.Tunnel(use.number, link.mac().bits(), mac.bits(), use.mtu);
      case Adjacency.Unresolved _ -> new Adjacency.Unresolved(0, link.mac().bits(), use.mtu);
      case null, default -> kernels;
    };
  }

  private Use acquired(Target.Hop hop, Key key) {
    Key before = byHop.put(hop, key);
    if (before != null && !before.equals(key)) {
      drop(hop, before);
    }
    Use use = uses.get(key);
    if (use == null) {
      use = new Use();
      uses.put(key, use);
      byRemote.computeIfAbsent(key.remote(), _ -> new HashSet<>()).add(key);
      workOut(key, use);
    }
    use.hops.add(hop);
    return use;
  }

  /** No route leads to {@code hop} any more. */
  void released(Target.Hop hop) {
    Key key = byHop.remove(hop);
    if (key != null) {
      drop(hop, key);
    }
  }

  private void drop(Target.Hop hop, Key key) {
    Use use = uses.get(key);
    if (use == null || !use.hops.remove(hop) || !use.hops.isEmpty()) {
      return;
    }
    uses.remove(key);
    dirty.remove(key);
    Set<Key> keys = byRemote.get(key.remote());
    if (keys != null && keys.remove(key) && keys.isEmpty()) {
      byRemote.remove(key.remote());
    }
    forget(use);
  }

  private void forget(Use use) {
    if (use.number != 0) {
      Objects.requireNonNull(table).remove(use.number);
      version++;
      use.number = 0;
    }
  }

  // Working out.

  private void workOut(Key key, Use use) {
    use.underlay = underlay(key.remote());
    use.way = use.underlay == null ? null : plan.direct(use.underlay);
    use.local = local(key, use.underlay);
    InetAddress from = use.local;
    Link link = state.link(key.device());
    VxlanDevice vxlan = vxlan(key.device());
    if (link == null || vxlan == null || from == null) {
      use.way = null;
      use.mtu = link == null ? 0 : link.mtu();
      forget(use);
      return;
    }
    int overhead = Tunnel.overhead(from);
    use.mtu = link.mtu();
    switch (use.way) {
      case Adjacency.Forward forward -> {
        use.mtu = Math.min(link.mtu(), forward.mtu() - overhead);
        publish(
            use,
            new Tunnel(
                key.vni(),
                from,
                key.remote(),
                key.port(),
                forward.port(),
                forward.sourceMac(),
                forward.destinationMac(),
                0,
                vxlan.dontFragment(),
                use.mtu));
      }
      case Adjacency.Unresolved unresolved ->
          use.mtu = Math.min(link.mtu(), unresolved.mtu() - overhead);
      case null, default -> forget(use);
    }
  }

  private void publish(Use use, Tunnel tunnel) {
    TunnelTable tunnels = Objects.requireNonNull(table);
    if (use.number != 0) {
      if (!tunnel.equals(tunnels.get(use.number))) {
        tunnels.replace(use.number, tunnel);
      }
      return;
    }
    try {
      use.number = tunnels.add(tunnel);
      version++;
    } catch (IllegalStateException e) {
      if (!full) {
        full = true;
        LOG.warn("{}; what goes to more nodes is left to the kernel", e.getMessage());
      }
    }
  }

  /** Of several ways a tunnel takes one: the outer packets of a node stay in order. */
  private Target.@Nullable Hop underlay(InetAddress remote) {
    Target target = plan.lookup(remote);
    if (target instanceof Target.Several several) {
      int size = several.hops().size();
      target = several.hops().get(Math.floorMod(remote.hashCode(), size));
    }
    Target.Hop hop =
        switch (target) {
          case Target.Hop found -> found;
          case Target.OnLink(int device) -> new Target.Hop(device, remote);
          case null, default -> null;
        };
    return hop == null || isTunnel(hop.device()) ? null : hop;
  }

  /** The device's own, else one of the device that the outer packets leave by. */
  private @Nullable InetAddress local(Key key, Target.@Nullable Hop underlay) {
    boolean six = Addresses.isIpv6(key.remote());
    VxlanDevice vxlan = vxlan(key.device());
    InetAddress configured = vxlan == null ? null : vxlan.local();
    if (configured != null) {
      return Addresses.isIpv6(configured) == six ? configured : null;
    }
    if (underlay == null) {
      return null;
    }
    return address(underlay.device(), six);
  }

  /** A device's first address that others can answer to, null for none. */
  private @Nullable InetAddress address(int device, boolean six) {
    for (InetAddress address : addresses().getOrDefault(device, List.of())) {
      if (Addresses.isIpv6(address) == six && !address.isLinkLocalAddress()) {
        return address;
      }
    }
    return null;
  }

  private Map<Integer, List<InetAddress>> addresses() {
    if (addresses == null) {
      addresses =
          state.all(Address.class).stream()
              .collect(
                  Collectors.groupingBy(
                      Address::ifIndex, Collectors.mapping(Address::address, Collectors.toList())));
    }
    return addresses;
  }

  /** Next hops of the underlay that tunnels lead by. */
  Collection<Target.Hop> underlays() {
    Set<Target.Hop> hops = new HashSet<>();
    for (Use use : uses.values()) {
      if (use.underlay != null) {
        hops.add(use.underlay);
      }
    }
    return hops;
  }

  /** The underlay's next hop for packets to {@code hop}, null for none. */
  Target.@Nullable Hop underlay(Target.Hop hop) {
    Key key = byHop.get(hop);
    Use use = key == null ? null : uses.get(key);
    return use == null ? null : use.underlay;
  }

  /** Where tunnels to this node end: at each of its addresses where a device names none. */
  List<Vtep> vteps() {
    List<Vtep> found = new ArrayList<>();
    for (Link link : state.links()) {
      VxlanDevice vxlan = vxlan(link.ifIndex());
      if (vxlan == null || !link.up()) {
        continue;
      }
      InetAddress local = vxlan.local();
      if (local != null) {
        found.add(new Vtep(local, vxlan.port(), vxlan.vni(), link.mac().bits()));
        continue;
      }
      state.all(Address.class).stream()
          .filter(address -> vxlan.lower() == 0 || address.ifIndex() == vxlan.lower())
          .map(Address::address)
          .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
          .distinct()
          .forEach(address ->
              found.add(new Vtep(address, vxlan.port(), vxlan.vni(), link.mac().bits())));
    }
    return List.copyOf(found);
  }

  /** Another number whenever tunnels got or lost theirs. */
  long version() {
    return version;
  }

  /** The other ends of all tunnels that the data path has. */
  List<Remote> remotes() {
    List<Remote> remotes = new ArrayList<>();
    uses.forEach((key, use) -> {
      if (use.number != 0) {
        remotes.add(new Remote(key.remote(), key.vni(), use.number));
      }
    });
    return remotes;
  }

  /** Every tunnel that a route leads to. */
  List<TunnelView> views() {
    List<TunnelView> views = new ArrayList<>();
    byHop.forEach((hop, key) -> {
      TunnelView view = view(hop);
      if (view != null) {
        views.add(view);
      }
    });
    return views;
  }

  /** The tunnel of a next hop, null for none. */
  @Nullable TunnelView view(Target.Hop hop) {
    Key key = byHop.get(hop);
    Use use = key == null ? null : uses.get(key);
    Link link = state.link(hop.device());
    MacAddress mac = plan.mac(hop);
    if (key == null || use == null || link == null || mac == null) {
      return null;
    }
    Target.Hop underlay = use.underlay;
    return new TunnelView(
        use.number,
        link.name(),
        key.vni(),
        use.local,
        key.remote(),
        key.port(),
        mac,
        underlay == null ? null : underlay.address(),
        use.way instanceof Adjacency.Forward forward ? devices.portName(forward.port()) : null,
        use.mtu,
        link.mtu());
  }
}
