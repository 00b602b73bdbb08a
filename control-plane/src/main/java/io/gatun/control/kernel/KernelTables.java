package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the kernel's tables said at one moment, as far as it means something here. Immutable. */
public record KernelTables(
    List<Link> links, List<Address> addresses, List<Route> routes, List<Neighbour> neighbours) {

  public static final KernelTables EMPTY =
      new KernelTables(List.of(), List.of(), List.of(), List.of());

  /** A link that is there; {@code up} as in IFF_UP. */
  public record Link(int ifIndex, String name, MacAddress mac, int mtu, boolean up) {}

  /** An address of the host's own. */
  public record Address(int ifIndex, InetAddress address) {}

  /** What a route does with a packet. */
  public enum RouteType {
    UNICAST,
    BLACKHOLE,
    UNREACHABLE
  }

  /** A way out: {@code gateway} null when the destination itself is on the link. */
  public record Way(int ifIndex, @Nullable InetAddress gateway, int weight) {}

  /** A route of the main table; of two to one prefix the lower metric counts. */
  public record Route(Prefix to, RouteType type, List<Way> ways, long metric) {}

  /**
   * A neighbour.
   *
   * @param mac null while it is asked for, or when nobody answered
   * @param stale known, but not confirmed of late
   */
  public record Neighbour(
      int ifIndex, InetAddress address, @Nullable MacAddress mac, boolean stale) {}
}
