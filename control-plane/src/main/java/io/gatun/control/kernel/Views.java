package io.gatun.control.kernel;

import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.fib.Adjacency;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Routes and neighbours as people and tests read them; on the control thread. */
final class Views {
  private final RoutePlan plan;

  Views(RoutePlan plan) {
    this.plan = plan;
  }

  /** Every route, sorted by nothing in particular. */
  List<RouteView> routes() {
    return plan.writer().routes().entrySet().stream()
        .map(route -> view(route.getKey(), route.getValue()))
        .toList();
  }

  /** The route that a packet to {@code address} takes, null for none. */
  @Nullable RouteView route(InetAddress address) {
    for (int length = address.getAddress().length * 8; length >= 0; length--) {
      Prefix prefix = new Prefix(address, length);
      Target target = plan.writer().routes().get(prefix);
      if (target != null) {
        return view(prefix, target);
      }
    }
    return null;
  }

  private RouteView view(Prefix prefix, Target target) {
    Route route = plan.counting(prefix);
    boolean unicast = route != null && route.type() == RouteType.UNICAST;
    Route kernels = target instanceof Target.Local && unicast ? route : null;
    return new RouteView(
        prefix,
        switch (target) {
          case Target.Local() -> kernels == null ? RouteView.Kind.LOCAL : RouteView.Kind.KERNEL;
          case Target.Blackhole() -> RouteView.Kind.BLACKHOLE;
          case Target.Unreachable() -> RouteView.Kind.UNREACHABLE;
          case Target.Prohibited() -> RouteView.Kind.PROHIBITED;
          case Target.Several _, Target.Hop _, Target.OnLink _ -> RouteView.Kind.FORWARD;
        },
        route == null ? 0 : route.metric(),
        kernels == null
            ? ways(prefix, target)
            : plan.ways(kernels).stream().map(this::way).toList());
  }

  private List<RouteView.Way> ways(Prefix prefix, Target target) {
    return switch (target) {
      case Target.Several(List<Target> hops) -> {
        Map<Target, Integer> weights = new LinkedHashMap<>();
        hops.forEach(hop -> weights.merge(hop, 1, Integer::sum));
        yield weights.entrySet().stream().map(e -> way(prefix, e.getKey(), e.getValue())).toList();
      }
      case Target.Hop _, Target.OnLink _ -> List.of(way(prefix, target, 1));
      default -> List.of();
    };
  }

  private RouteView.Way way(KernelTables.Way way) {
    String dev = plan.devices().name(way.ifIndex());
    return new RouteView.Way(way.gateway(), dev, null, null, way.weight(), null);
  }

  private RouteView.Way way(Prefix prefix, Target target, int weight) {
    if (target instanceof Target.Hop hop) {
      InetAddress via = hop.address().equals(prefix.address()) ? null : hop.address();
      return new RouteView.Way(
          via,
          plan.devices().name(hop.device()),
          port(hop),
          plan.mac(hop),
          weight,
          plan.tunnels().view(hop));
    }
    int device = target instanceof Target.OnLink(int on) ? on : 0;
    return new RouteView.Way(null, plan.devices().name(device), null, null, weight, null);
  }

  private @Nullable String port(Target.Hop hop) {
    TunnelView tunnel = plan.tunnels().view(hop);
    if (tunnel != null) {
      return tunnel.out();
    }
    return plan.writer().adjacency(hop) instanceof Adjacency.Forward forward
        ? plan.devices().portName(forward.port())
        : null;
  }

  /** Neighbours on devices that are ours. */
  List<NeighbourView> neighbours() {
    List<NeighbourView> views = new ArrayList<>();
    Set<Target.Hop> seen = new HashSet<>();
    for (Target.Hop hop : plan.configured()) {
      seen.add(hop);
      views.add(view(hop, "configured"));
    }
    for (Neighbour neighbour : plan.state().all(Neighbour.class)) {
      Target.Hop hop = new Target.Hop(neighbour.ifIndex(), neighbour.address());
      if (plan.devices().isOurs(neighbour.ifIndex()) && seen.add(hop)) {
        views.add(view(hop, neighbour.state()));
      }
    }
    return List.copyOf(views);
  }

  private NeighbourView view(Target.Hop hop, String state) {
    return new NeighbourView(
        hop.address(),
        plan.devices().name(hop.device()),
        plan.mac(hop),
        state,
        port(hop),
        plan.writer().isInUse(hop));
  }
}
