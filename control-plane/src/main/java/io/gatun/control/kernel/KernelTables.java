package io.gatun.control.kernel;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.ffm.netlink.BridgeDevice;
import io.gatun.ffm.netlink.DeviceSettings;
import io.gatun.ffm.netlink.VxlanDevice;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the kernel's tables said at one moment, as far as it means something here. Immutable. */
public record KernelTables(
    List<Link> links,
    List<Address> addresses,
    List<NextHop> nextHops,
    List<Route> routes,
    List<Neighbour> neighbours,
    List<Forwarding> forwarding,
    List<BridgePort> bridgePorts,
    List<Rule> rules,
    List<Settings> settings) {

  public static final KernelTables EMPTY =
      new KernelTables(
          List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(),
          List.of());

  /** An entry of one of the tables; two with equal keys are the same thing at different times. */
  public sealed interface Entry {
    Object key();
  }

  /**
   * A link that is there.
   *
   * @param mac zero where there is no Ethernet address
   * @param up as in IFF_UP
   * @param running has a carrier as well
   * @param kind {@code veth}, {@code bridge}, …; empty for hardware and loopback
   * @param master the bridge or bond that it belongs to, 0 for none
   * @param lower the device below a VLAN, or a veth's other end; 0 for none
   * @param peerElsewhere a veth's other end is in another network namespace
   * @param vxlan null for what is no VXLAN device
   * @param bridge null for what is no bridge
   */
  public record Link(
      int ifIndex,
      String name,
      MacAddress mac,
      int mtu,
      boolean up,
      boolean running,
      String kind,
      int master,
      int lower,
      boolean peerElsewhere,
      @Nullable VxlanDevice vxlan,
      @Nullable BridgeDevice bridge)
      implements Entry {

    /** A link that is no bridge, or one whose settings do not matter. */
    public Link(
        int ifIndex,
        String name,
        MacAddress mac,
        int mtu,
        boolean up,
        boolean running,
        String kind,
        int master,
        int lower,
        boolean peerElsewhere,
        @Nullable VxlanDevice vxlan) {
      this(ifIndex, name, mac, mtu, up, running, kind, master, lower, peerElsewhere, vxlan, null);
    }

    private record LinkKey(int ifIndex) {}

    @Override
    public Object key() {
      return new LinkKey(ifIndex);
    }

    public boolean isEthernet() {
      return mac.bits() != 0;
    }
  }

  /** An address of the host's own. */
  public record Address(int ifIndex, InetAddress address, int prefixLength) implements Entry {
    @Override
    public Object key() {
      return this;
    }
  }

  /** What a route does with a packet. */
  public enum RouteType {
    UNICAST,
    /** For this node itself: local, broadcast and anycast addresses. */
    LOCAL,
    BLACKHOLE,
    /** {@code unreachable} and {@code throw}, which leads on to tables that nobody fills. */
    UNREACHABLE,
    PROHIBIT
  }

  /** A way out: {@code gateway} null when the destination itself is on the link. */
  public record Way(int ifIndex, @Nullable InetAddress gateway, int weight) {}

  /**
   * A route.
   *
   * @param localTable of the local table, which comes before the main one; others are not mirrored
   * @param ways none but for UNICAST
   * @param metric of two to one prefix the lower counts
   * @param nextHop number of the object that says the ways instead, 0 for none
   * @param source what local senders use as address ({@code src}), null where it does not say
   */
  public record Route(
      Prefix to,
      RouteType type,
      List<Way> ways,
      long metric,
      boolean localTable,
      int nextHop,
      @Nullable InetAddress source)
      implements Entry {

    /** One that does not say a source. */
    public Route(
        Prefix to, RouteType type, List<Way> ways, long metric, boolean localTable, int nextHop) {
      this(to, type, ways, metric, localTable, nextHop, null);
    }

    private record RouteKey(Prefix to, long metric, boolean localTable) {}

    /** A main table's route by {@code ways}. */
    public static Route of(Prefix to, RouteType type, List<Way> ways, long metric) {
      return new Route(to, type, ways, metric, false, 0);
    }

    /** What is for the node itself. */
    public static Route local(InetAddress address) {
      return new Route(Prefix.of(address), RouteType.LOCAL, List.of(), 0, true, 0);
    }

    @Override
    public Object key() {
      return new RouteKey(to, metric, localTable);
    }

    /** IPv6 routes of one key that have gateways are one route with several ways. */
    boolean mergesWith(Route other) {
      return Addresses.isIpv6(to.address()) && hasGateways() && other.hasGateways();
    }

    private boolean hasGateways() {
      return !ways.isEmpty() && ways.stream().allMatch(way -> way.gateway() != null);
    }
  }

  /** One of a next hop group's members; the weight is its share. */
  public record Member(int id, int weight) {}

  /**
   * A next hop object: a way, a blackhole, or several of them.
   *
   * @param way null for a blackhole and a group
   */
  public record NextHop(int id, @Nullable Way way, List<Member> group) implements Entry {
    private record NextHopKey(int id) {}

    @Override
    public Object key() {
      return new NextHopKey(id);
    }
  }

  /**
   * A neighbour.
   *
   * @param mac null while it is asked for, or when nobody answered
   * @param state as {@code ip neigh} calls it, in lower case
   */
  public record Neighbour(int ifIndex, InetAddress address, @Nullable MacAddress mac, String state)
      implements Entry {
    private record NeighbourKey(int ifIndex, InetAddress address) {}

    static Object key(int ifIndex, InetAddress address) {
      return new NeighbourKey(ifIndex, address);
    }

    @Override
    public Object key() {
      return key(ifIndex, address);
    }

    /** Known, but not confirmed of late. */
    public boolean stale() {
      return state.equals("stale");
    }
  }

  /**
   * Where a bridge, or a VXLAN device, finds a MAC address.
   *
   * @param ifIndex the bridge's port, or the VXLAN device
   * @param master the bridge; 0 on a VXLAN device
   * @param remote the tunnel's other end; null on a bridge
   * @param local the port's own address
   */
  public record Forwarding(
      int ifIndex,
      MacAddress mac,
      int master,
      int vlan,
      @Nullable InetAddress remote,
      int vni,
      int port,
      boolean local)
      implements Entry {
    private record ForwardingKey(
        int device, MacAddress mac, int vlan, @Nullable InetAddress remote, int vni) {}

    /**
     * A MAC address is in one place; only where a tunnel device sends groups, and what it does not
     * know, there may be several. The kernel tells of another place without taking the old one
     * back.
     */
    @Override
    public Object key() {
      boolean several = mac.bits() == 0 || (mac.bits() >>> 40 & 1) != 0;
      return new ForwardingKey(
          master == 0 ? ifIndex : master, mac, vlan, several ? remote : null, several ? vni : 0);
    }
  }

  /**
   * What a bridge says of one of its ports, or of itself as one.
   *
   * @param bridge the port itself where that is the bridge
   * @param forwarding frames may pass
   * @param hairpin a frame may leave by the port that it came by
   * @param learning addresses are learnt from what comes in
   * @param isolated no frames to or from other isolated ports
   * @param pvid the VLAN of untagged frames that come in, 0 for none
   * @param untagged VLANs whose frames leave without a tag
   */
  public record BridgePort(
      int ifIndex,
      int bridge,
      boolean forwarding,
      boolean hairpin,
      boolean learning,
      boolean isolated,
      int pvid,
      Set<Integer> untagged)
      implements Entry {
    private record BridgePortKey(int ifIndex) {}

    static Object key(int ifIndex) {
      return new BridgePortKey(ifIndex);
    }

    @Override
    public Object key() {
      return key(ifIndex);
    }
  }

  /**
   * A device's settings, or with {@link DeviceSettings#ALL} those that count for all.
   *
   * @param rpFilter as in {@link DeviceSettings}
   */
  public record Settings(int ifIndex, int rpFilter) implements Entry {
    private record SettingsKey(int ifIndex) {}

    static Object key(int ifIndex) {
      return new SettingsKey(ifIndex);
    }

    @Override
    public Object key() {
      return key(ifIndex);
    }
  }

  /**
   * A rule that says which table is looked into; {@code text} as {@code ip rule} puts it.
   *
   * @param obeyed one of the kernel's three, which say what the data path does anyway, or our own
   */
  public record Rule(boolean ipv6, int priority, String text, boolean obeyed) implements Entry {
    @Override
    public Object key() {
      return this;
    }
  }
}
