package io.gatun.control.kernel;

import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Entry;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.ffm.netlink.Address;
import io.gatun.ffm.netlink.BridgePort;
import io.gatun.ffm.netlink.DeviceSettings;
import io.gatun.ffm.netlink.FdbEntry;
import io.gatun.ffm.netlink.KernelObject;
import io.gatun.ffm.netlink.Link;
import io.gatun.ffm.netlink.Neighbour;
import io.gatun.ffm.netlink.NetlinkSubscription;
import io.gatun.ffm.netlink.NextHop;
import io.gatun.ffm.netlink.NextHopObject;
import io.gatun.ffm.netlink.Route;
import io.gatun.ffm.netlink.Rtnetlink;
import io.gatun.ffm.netlink.Rule;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The tables of the network namespace in which this was made, by rtnetlink. */
public final class RtnetlinkSource implements KernelSource {
  /** What rules of our own say who made them; no routing daemon's number in rt_protos. */
  public static final int OUR_PROTOCOL = 103;

  private static final int ETHERNET = 6;

  /** RT_TABLE_DEFAULT: empty unless somebody fills it. */
  private static final int TABLE_DEFAULT = 253;

  // FR_ACT_… of linux/fib_rules.h
  private static final int LOOKUP = 1;
  private static final int GOTO = 2;
  private static final int BLACKHOLE = 6;
  private static final int UNREACHABLE = 7;
  private static final int PROHIBIT = 8;

  // Before the first dump, so that nothing is missed between the two.
  private final NetlinkSubscription changes =
      new NetlinkSubscription(NetlinkSubscription.EVERYTHING);
  private final Rtnetlink tables = new Rtnetlink();
  private final Rtnetlink questions = new Rtnetlink();

  @Override
  public KernelTables read() {
    return new KernelTables(
        links(),
        addresses(),
        entries(tables.nextHops(), KernelTables.NextHop.class),
        entries(tables.routes(), KernelTables.Route.class),
        entries(tables.neighbours(), KernelTables.Neighbour.class),
        entries(tables.forwardingEntries(), KernelTables.Forwarding.class),
        entries(tables.bridgePorts(), KernelTables.BridgePort.class),
        entries(tables.rules(), KernelTables.Rule.class),
        entries(tables.deviceSettings(), KernelTables.Settings.class));
  }

  /** The links alone. */
  public List<KernelTables.Link> links() {
    return entries(tables.links(), KernelTables.Link.class);
  }

  /** The addresses alone. */
  public List<KernelTables.Address> addresses() {
    return entries(tables.addresses(), KernelTables.Address.class);
  }

  private static <T extends Entry> List<T> entries(
      List<? extends KernelObject> objects, Class<T> kind) {
    return objects.stream()
        .map(RtnetlinkSource::entry)
        .filter(Objects::nonNull)
        .map(kind::cast)
        .toList();
  }

  @Override
  public boolean changes(int most, Consumer<KernelChange> consumer) {
    return changes.read(
        most,
        change -> {
          KernelChange read = change(change);
          if (read != null) {
            consumer.accept(read);
          }
        });
  }

  /** Null for what means nothing here. */
  static @Nullable KernelChange change(NetlinkSubscription.Change change) {
    Entry entry = entry(change.object());
    return entry == null
        ? null
        : new KernelChange(entry, change.removed(), change.replaces(), change.appended());
  }

  @Override
  public void resolve(int ifIndex, InetAddress address) {
    questions.useNeighbour(ifIndex, address); // a refusal shows as a neighbour that stays unknown
  }

  @Override
  public void learn(int ifIndex, MacAddress mac, int vlan) {
    questions.useForwarding(ifIndex, mac.octets(), vlan); // a refusal shows as no entry
  }

  @Override
  public int descriptor() {
    return changes.fd();
  }

  private static @Nullable Entry entry(KernelObject object) {
    return switch (object) {
      case Link link -> link(link);
      case BridgePort p ->
          new KernelTables.BridgePort(
              p.index(),
              p.bridge(),
              p.forwarding(),
              p.hairpin(),
              p.learning(),
              p.isolated(),
              p.pvid(),
              p.untagged());
      case Address a -> new KernelTables.Address(a.ifIndex(), a.address(), a.prefixLength());
      case NextHopObject hop -> hop.fdb() ? null : nextHop(hop);
      case Route route -> route(route);
      case Neighbour neighbour -> neighbour(neighbour);
      case FdbEntry entry -> forwarding(entry);
      case Rule rule -> rule(rule);
      case DeviceSettings s -> new KernelTables.Settings(s.ifIndex(), s.rpFilter());
    };
  }

  private static KernelTables.Link link(Link link) {
    return new KernelTables.Link(
        link.index(),
        link.name(),
        mac(link.mac()),
        link.mtu(),
        link.up(),
        link.running(),
        link.kind(),
        link.master(),
        link.peerIndex(),
        link.kind().equals("veth") && link.peerNamespace() >= 0,
        link.vxlan(),
        link.bridge());
  }

  private static MacAddress mac(byte[] octets) {
    return octets.length == ETHERNET ? MacAddress.of(octets) : new MacAddress(0);
  }

  private static KernelTables.NextHop nextHop(NextHopObject hop) {
    return new KernelTables.NextHop(
        hop.id(),
        hop.blackhole() || hop.ifIndex() == 0 ? null : new Way(hop.ifIndex(), hop.gateway(), 1),
        hop.group().stream().map(m -> new KernelTables.Member(m.id(), m.weight())).toList());
  }

  /** Null for other tables' routes and those for one type of service only. */
  private static KernelTables.@Nullable Route route(Route route) {
    RouteType type = type(route.type());
    boolean local = route.table() == Route.TABLE_LOCAL;
    if (type == null || route.tos() != 0 || (!local && route.table() != Route.TABLE_MAIN)) {
      return null;
    }
    List<Way> ways =
        type == RouteType.UNICAST
            ? route.nextHops().stream().map(RtnetlinkSource::way).toList()
            : List.of();
    Prefix to = new Prefix(route.destination(), route.prefixLength());
    InetAddress preferred = local ? null : route.source();
    return new KernelTables.Route(
        to, type, ways, route.metric(), local, route.nextHopId(), preferred);
  }

  /** Null for what has no meaning here: multicast, NAT. */
  private static @Nullable RouteType type(int type) {
    return switch (type) {
      case Route.UNICAST -> RouteType.UNICAST;
      case Route.LOCAL, Route.BROADCAST, Route.ANYCAST -> RouteType.LOCAL;
      case Route.BLACKHOLE -> RouteType.BLACKHOLE;
      case Route.UNREACHABLE, Route.THROW -> RouteType.UNREACHABLE;
      case Route.PROHIBIT -> RouteType.PROHIBIT;
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
        state(neighbour.state()));
  }

  private static String state(int bits) {
    return switch (bits) {
      case Neighbour.NUD_INCOMPLETE -> "incomplete";
      case Neighbour.NUD_REACHABLE -> "reachable";
      case Neighbour.NUD_STALE -> "stale";
      case Neighbour.NUD_DELAY -> "delay";
      case Neighbour.NUD_PROBE -> "probe";
      case Neighbour.NUD_FAILED -> "failed";
      case Neighbour.NUD_NOARP -> "noarp";
      case Neighbour.NUD_PERMANENT -> "permanent";
      default -> "none";
    };
  }

  private static KernelTables.Forwarding forwarding(FdbEntry entry) {
    return new KernelTables.Forwarding(
        entry.ifIndex(),
        MacAddress.of(entry.mac()),
        entry.master(),
        entry.vlan(),
        entry.remote(),
        entry.vni(),
        entry.port(),
        entry.local());
  }

  private static KernelTables.Rule rule(Rule rule) {
    String action =
        switch (rule.action()) {
          case LOOKUP -> "lookup " + rule.table();
          case GOTO -> "goto " + rule.target();
          case BLACKHOLE -> "blackhole";
          case UNREACHABLE -> "unreachable";
          case PROHIBIT -> "prohibit";
          default -> "action " + rule.action();
        };
    InetAddress from = rule.source();
    InetAddress to = rule.destination();
    List<String> words = new ArrayList<>();
    words.add(rule.inverted() ? "not from" : "from");
    words.add(from == null ? "all" : new Prefix(from, rule.sourceLength()).toString());
    if (to != null) {
      words.add("to " + new Prefix(to, rule.destinationLength()));
    }
    words.addAll(rule.conditions());
    words.add(action);
    // The three that are always there, and the first where it was moved to: as the data path does.
    boolean ordinary =
        from == null
            && to == null
            && rule.conditions().isEmpty()
            && rule.action() == LOOKUP
            && (rule.table() == Route.TABLE_LOCAL
                || rule.table() == Route.TABLE_MAIN
                || rule.table() == TABLE_DEFAULT);
    return new KernelTables.Rule(
        rule.ipv6(),
        rule.priority(),
        String.join(" ", words),
        ordinary || rule.protocol() == OUR_PROTOCOL);
  }

  @Override
  public void close() {
    changes.close();
    tables.close();
    questions.close();
  }
}
