package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.ffm.netlink.Link;
import io.gatun.ffm.netlink.Neighbour;
import io.gatun.ffm.netlink.NetlinkSubscription;
import io.gatun.ffm.netlink.NextHop;
import io.gatun.ffm.netlink.Route;
import io.gatun.ffm.netlink.Rtnetlink;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tables of the network namespace in which this was made, by rtnetlink; for one thread.
 *
 * <p>A subscription tells when to look again; what is seen is always a whole dump, so a message
 * that the kernel could not deliver (ENOBUFS) costs nothing but that look.
 */
public final class RtnetlinkSource implements KernelSource {
  private static final int ETHERNET = 6;

  private final Rtnetlink kernel = new Rtnetlink();
  private final NetlinkSubscription changes =
      new NetlinkSubscription(NetlinkSubscription.EVERYTHING);
  private boolean seen;

  @Override
  public KernelTables read() {
    return new KernelTables(
        kernel.links().stream().map(RtnetlinkSource::link).toList(),
        kernel.addresses().stream()
            .map(address -> new KernelTables.Address(address.ifIndex(), address.address()))
            .toList(),
        routes(),
        kernel.neighbours().stream().map(RtnetlinkSource::neighbour).toList());
  }

  @Override
  public boolean changed() {
    seen = false;
    boolean complete = changes.read(_ -> seen = true);
    return seen || !complete;
  }

  @Override
  public void resolve(int ifIndex, InetAddress address) {
    kernel.useNeighbour(ifIndex, address); // a refusal shows as a neighbour that stays unknown
  }

  private static KernelTables.Link link(Link link) {
    return new KernelTables.Link(link.index(), link.name(), mac(link.mac()), link.mtu(), link.up());
  }

  private static MacAddress mac(byte[] octets) {
    return octets.length == ETHERNET ? MacAddress.of(octets) : new MacAddress(0);
  }

  private List<KernelTables.Route> routes() {
    List<KernelTables.Route> routes = new ArrayList<>();
    for (Route route : kernel.routes()) {
      RouteType type = type(route.type());
      if (route.table() == Route.TABLE_MAIN && type != null) {
        List<Way> ways =
            type == RouteType.UNICAST
                ? route.nextHops().stream()
                    .filter(hop -> !hop.dead() && !hop.noCarrier())
                    .map(RtnetlinkSource::way)
                    .toList()
                : List.of();
        Prefix to = new Prefix(route.destination(), route.prefixLength());
        routes.add(new KernelTables.Route(to, type, ways, route.metric()));
      }
    }
    return List.copyOf(routes);
  }

  /** What is none of ours (local, broadcast, multicast, throw, NAT) has no meaning here. */
  private static @Nullable RouteType type(int type) {
    return switch (type) {
      case Route.UNICAST -> RouteType.UNICAST;
      case Route.BLACKHOLE -> RouteType.BLACKHOLE;
      case Route.UNREACHABLE, Route.PROHIBIT -> RouteType.UNREACHABLE;
      default -> null;
    };
  }

  private static Way way(NextHop hop) {
    return new Way(hop.ifIndex(), hop.gateway(), hop.weight());
  }

  private static KernelTables.Neighbour neighbour(Neighbour neighbour) {
    byte[] octets = neighbour.mac();
    boolean usable = octets != null && octets.length == ETHERNET && neighbour.valid();
    return new KernelTables.Neighbour(
        neighbour.ifIndex(),
        neighbour.address(),
        octets != null && usable ? MacAddress.of(octets) : null,
        (neighbour.state() & Neighbour.NUD_STALE) != 0);
  }

  @Override
  public void close() {
    kernel.close();
    changes.close();
  }
}
