package io.gatun.control.kernel;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.fib.Adjacency;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which routes the data path should have, worked out from the kernel's tables, the configuration
 * and the taken ports. A pure function; its result is for one thread.
 *
 * <p>A connected network is one route to {@link Target.OnLink} and a host route for each neighbour
 * that is known. A route by an interface that is not ours leads to the host, whose kernel has it.
 */
final class RoutePlan {
  private final Map<String, TakenPort> byName = new HashMap<>();
  private final Map<Integer, TakenPort> byIndex = new HashMap<>();
  private final Map<Integer, TakenPort> byNumber = new HashMap<>();
  private final Map<Prefix, Target> routes = new HashMap<>();
  private final Map<Target.Hop, MacAddress> macs = new HashMap<>();
  private final Set<Target.Hop> configured = new HashSet<>();
  private final Map<Integer, KernelTables.Link> links = new HashMap<>();

  RoutePlan(
      KernelTables kernel,
      List<TakenPort> ports,
      List<StaticRoute> staticRoutes,
      List<StaticNeighbour> staticNeighbours) {
    for (TakenPort port : ports) {
      byName.put(port.name(), port);
      byNumber.put(port.number(), port);
      if (port.ifIndex() != 0) {
        byIndex.put(port.ifIndex(), port);
      }
    }
    kernel.links().forEach(link -> links.put(link.ifIndex(), link));
    kernel.neighbours().forEach(this::learn);
    for (StaticNeighbour neighbour : staticNeighbours) {
      TakenPort port = byName.get(neighbour.dev());
      if (port != null) {
        Target.Hop hop = new Target.Hop(port.number(), neighbour.ip());
        macs.put(hop, neighbour.mac());
        configured.add(hop);
      }
    }
    List<Route> byMetric = new ArrayList<>(kernel.routes());
    byMetric.sort(Comparator.comparingLong(Route::metric));
    for (Route route : byMetric) {
      Target target = target(route);
      if (target != null) {
        routes.putIfAbsent(route.to(), target);
      }
    }
    staticRoutes.forEach(this::configured);
    // Also where a route says otherwise: the kernel's local table comes first as well.
    kernel.addresses().forEach(a -> routes.put(Prefix.of(a.address()), new Target.Local()));
    macs.keySet().forEach(this::hostRoute);
  }

  /** What each prefix leads to. */
  Map<Prefix, Target> routes() {
    return Collections.unmodifiableMap(routes);
  }

  /** What the data path does for a target of one next hop or none; {@code local} for the host. */
  Adjacency adjacency(Target target, Adjacency local) {
    return switch (target) {
      case Target.Hop hop -> {
        TakenPort port = port(hop.port());
        MacAddress mac = macs.get(hop);
        yield mac == null
            ? new Adjacency.Unresolved(hop.port(), port.mac().bits(), mtu(port))
            : new Adjacency.Forward(hop.port(), port.mac().bits(), mac.bits(), mtu(port));
      }
      case Target.OnLink(int port) ->
          new Adjacency.Unresolved(port, port(port).mac().bits(), mtu(port(port)));
      case Target.Local() -> local;
      case Target.Blackhole() -> new Adjacency.Blackhole();
      case Target.Unreachable() -> new Adjacency.Unreachable();
      case Target.Several several ->
          throw new IllegalArgumentException("a group has no adjacency of its own: " + several);
    };
  }

  /** The kernel's MTU, which may change under us; the port's own where the kernel has none. */
  private int mtu(TakenPort port) {
    KernelTables.Link link = links.get(port.ifIndex());
    return link == null ? port.mtu() : link.mtu();
  }

  private TakenPort port(int number) {
    TakenPort port = byNumber.get(number);
    if (port == null) {
      throw new IllegalArgumentException("no port " + number);
    }
    return port;
  }

  /** The interface behind a port, 0 when the kernel knows nothing of it. */
  int ifIndex(int port) {
    return port(port).ifIndex();
  }

  /** Nobody but the kernel can say where {@code hop} is: the configuration does not. */
  boolean isNeededFromKernel(Target.Hop hop) {
    return port(hop.port()).ifIndex() != 0 && !configured.contains(hop);
  }

  /** The most specific route to {@code address}, null for none. */
  @Nullable Target lookup(InetAddress address) {
    for (int length = address.getAddress().length * 8; length >= 0; length--) {
      Target target = routes.get(new Prefix(address, length));
      if (target != null) {
        return target;
      }
    }
    return null;
  }

  private void learn(Neighbour neighbour) {
    TakenPort port = byIndex.get(neighbour.ifIndex());
    MacAddress mac = neighbour.mac();
    if (port != null && mac != null && isOurs(neighbour.address())) {
      macs.put(new Target.Hop(port.number(), neighbour.address()), mac);
    }
  }

  /** Neighbours of a connected network: nobody else's route may be overruled. */
  private void hostRoute(Target.Hop hop) {
    if (new Target.OnLink(hop.port()).equals(lookup(hop.address()))) {
      routes.putIfAbsent(Prefix.of(hop.address()), hop);
    }
  }

  private @Nullable Target target(Route route) {
    if (!isOurs(route.to().address())) {
      return null;
    }
    return switch (route.type()) {
      case BLACKHOLE -> new Target.Blackhole();
      case UNREACHABLE -> new Target.Unreachable();
      case UNICAST -> ways(route);
    };
  }

  private @Nullable Target ways(Route route) {
    List<Target> hops = new ArrayList<>();
    int heaviest = route.ways().stream().mapToInt(Way::weight).sum();
    for (Way way : route.ways()) {
      KernelTables.Link link = links.get(way.ifIndex());
      TakenPort port = byIndex.get(way.ifIndex());
      if (link != null && !link.up()) {
        continue;
      }
      if (port == null) {
        return new Target.Local();
      }
      Target hop = hop(port.number(), route.to(), way.gateway());
      int times = heaviest <= Adjacency.Group.MAX_MEMBERS ? Math.max(1, way.weight()) : 1;
      for (int i = 0; i < times && hops.size() < Adjacency.Group.MAX_MEMBERS; i++) {
        hops.add(hop);
      }
    }
    if (hops.isEmpty()) {
      return null;
    }
    return hops.stream().distinct().count() == 1
        ? hops.getFirst()
        : new Target.Several(List.copyOf(hops));
  }

  private static Target hop(int port, Prefix to, @Nullable InetAddress gateway) {
    if (gateway != null) {
      return new Target.Hop(port, gateway);
    }
    // A pod's route: the one destination is its own next hop.
    return to.length() == to.address().getAddress().length * 8
        ? new Target.Hop(port, to.address())
        : new Target.OnLink(port);
  }

  private void configured(StaticRoute route) {
    String dev = route.dev();
    InetAddress via = route.via();
    TakenPort port = null;
    if (dev != null) {
      port = byName.get(dev);
    } else if (via != null) {
      Target way = lookup(via);
      int number =
          switch (way) {
            case Target.OnLink(int on) -> on;
            case Target.Hop hop -> hop.port();
            case null, default -> -1;
          };
      port = byNumber.get(number);
    }
    if (port != null) {
      routes.put(route.to(), hop(port.number(), route.to(), via));
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
