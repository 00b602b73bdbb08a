package io.gatun.control.kernel;

import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Member;
import io.gatun.control.kernel.KernelTables.NextHop;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.Way;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the kernel's routes mean to the data path, one by one; for one thread. */
final class RouteTargets {
  /** What a route's meaning may depend on, beside itself. */
  record OnDevice(int device) {}

  /** The same for a next hop object. */
  record OnNextHop(int id) {}

  private final KernelState state;
  private final Devices devices;
  private final Tunnels tunnels;

  RouteTargets(KernelState state, Devices devices, Tunnels tunnels) {
    this.state = state;
    this.devices = devices;
    this.tunnels = tunnels;
  }

  /** Null where all its ways are down. */
  @Nullable Target of(Route route) {
    return switch (route.type()) {
      case LOCAL -> Target.LOCAL;
      case BLACKHOLE -> Target.BLACKHOLE;
      case UNREACHABLE -> Target.UNREACHABLE;
      case PROHIBIT -> Target.PROHIBITED;
      case UNICAST -> {
        NextHop object = route.nextHop() == 0 ? null : state.nextHop(route.nextHop());
        if (object == null) {
          yield ways(route.to(), route.ways());
        }
        yield object.way() == null && object.group().isEmpty()
            ? Target.BLACKHOLE
            : ways(route.to(), ways(object));
      }
    };
  }

  /** The ways that a unicast route says, itself or by a next hop object. */
  List<Way> ways(Route route) {
    NextHop object = route.nextHop() == 0 ? null : state.nextHop(route.nextHop());
    return object == null ? route.ways() : ways(object);
  }

  private List<Way> ways(NextHop object) {
    Way single = object.way();
    if (single != null) {
      return List.of(single);
    }
    List<Way> ways = new ArrayList<>();
    for (Member member : object.group()) {
      NextHop hop = state.nextHop(member.id());
      Way way = hop == null ? null : hop.way();
      if (way != null) {
        ways.add(new Way(way.ifIndex(), way.gateway(), member.weight()));
      }
    }
    return ways;
  }

  private @Nullable Target ways(Prefix to, List<Way> ways) {
    List<Way> alive = ways.stream().filter(way -> devices.isUp(way.ifIndex())).toList();
    if (alive.isEmpty()) {
      return null;
    }
    // A single way without a carrier stays, as in the kernel: a less specific route is no remedy.
    List<Way> carried = alive.stream().filter(way -> devices.hasCarrier(way.ifIndex())).toList();
    List<Target> hops = new ArrayList<>();
    List<Way> used = carried.isEmpty() ? alive : carried;
    int[] times = Shares.of(used.stream().mapToInt(Way::weight).toArray());
    for (int i = 0; i < times.length; i++) {
      Way way = used.get(i);
      if (!devices.isOurs(way.ifIndex()) && !tunnels.isTunnel(way.ifIndex())) {
        return Target.LOCAL;
      }
      Target hop = hop(way.ifIndex(), to, way.gateway());
      for (int k = 0; k < times[i]; k++) {
        hops.add(hop);
      }
    }
    return hops.stream().distinct().count() == 1
        ? hops.getFirst()
        : new Target.Several(List.copyOf(hops));
  }

  /** A way by {@code device}: to the gateway or, without one, to whom {@code to} means. */
  static Target hop(int device, Prefix to, @Nullable InetAddress gateway) {
    if (gateway != null) {
      return new Target.Hop(device, gateway);
    }
    // A pod's route: the one destination is its own next hop.
    return to.length() == to.address().getAddress().length * 8
        ? new Target.Hop(device, to.address())
        : new Target.OnLink(device);
  }

  /** Adds what its meaning depends on: {@link OnDevice}, {@link OnNextHop}. */
  void reasons(Route route, Set<Object> reasons) {
    for (Way way : route.ways()) {
      reasons.add(new OnDevice(way.ifIndex()));
    }
    if (route.nextHop() == 0) {
      return;
    }
    reasons.add(new OnNextHop(route.nextHop()));
    NextHop object = state.nextHop(route.nextHop());
    if (object != null) {
      object.group().forEach(member -> reasons.add(new OnNextHop(member.id())));
      ways(object).forEach(way -> reasons.add(new OnDevice(way.ifIndex())));
    }
  }
}
