package io.gatun.agent.explain;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Interface;
import io.gatun.agent.config.GatunConfiguration.Peer;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.agent.config.GatunConfiguration.Vxlan;
import io.gatun.agent.daemon.Overlays;
import io.gatun.agent.daemon.Settings;
import io.gatun.control.ControlThread;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelSource;
import io.gatun.control.kernel.RouteView;
import io.gatun.control.kernel.StaticNeighbour;
import io.gatun.control.kernel.StaticRoute;
import io.gatun.control.kernel.TakenPort;
import io.gatun.control.kernel.TunnelView;
import io.gatun.control.manifest.ManifestSource;
import io.gatun.control.model.ObjectSet;
import io.gatun.control.overlay.OverlaySource;
import io.gatun.control.service.ClientSettings.ClientPort;
import io.gatun.control.service.NodeSettings;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.flow.FlowTable;
import io.gatun.flow.FlowTimeouts;
import io.gatun.ring.qsbr.Qsbr;
import io.gatun.service.ClientRules;
import io.gatun.service.ClientRules.Leads;
import io.gatun.service.ServiceTable;
import io.gatun.service.SourceAddresses;
import io.gatun.tunnel.Tunnel;
import io.gatun.tunnel.TunnelTable;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A node's tables as its daemon would fill them, from a configuration and manifests alone: without
 * the node's interfaces, its kernel's tables, and root. For one thread.
 */
public final class OfflineNode implements Surroundings, AutoCloseable {
  private static final int MTU = 1500;

  /** {@code lo}'s, linux/if_arp.h: what a local route says. */
  private static final int LOOPBACK_MTU = 65_536;

  private static final int ADJACENCIES = 4096;

  /** RFC 7600's dummy address, and one of RFC 6666's discard prefix. */
  private static final InetAddress NOBODY4 = InetAddress.ofLiteral("192.0.0.8");

  private static final InetAddress NOBODY6 = InetAddress.ofLiteral("100::1");

  private final Qsbr qsbr = new Qsbr(1);
  private final FlowTable flows = new FlowTable(1024, FlowTimeouts.defaults(), qsbr);
  private final ServiceTable services = new ServiceTable(flows, qsbr);
  private final Fib fib = new Fib(ADJACENCIES, release -> qsbr.retire(0, record -> release.run()));
  private final TunnelTable tunnels =
      new TunnelTable(ADJACENCIES, release -> qsbr.retire(0, record -> release.run()));
  private final KernelMirror mirror;
  private final SourceAddresses sources = new SourceAddresses();
  private final Map<String, Integer> ports = new LinkedHashMap<>();
  private final List<StaticRoute> routes;
  private final boolean allRoutesKnown;
  private final Set<InetAddress> own = new LinkedHashSet<>();
  private final boolean source4;
  private final boolean source6;
  private final Explainer explainer;

  /**
   * Fills the tables.
   *
   * @param named interfaces that the flows to explain name
   */
  public OfflineNode(
      GatunConfiguration configuration,
      @Nullable ManifestSource manifests,
      Collection<String> named) {
    routes = withUnderlay(configuration);
    allRoutesKnown = !configuration.kernel().mirror() && !configuration.routes().isEmpty();
    List<ClientPort> clientPorts = new ArrayList<>();
    for (String name : interfaces(configuration, named)) {
      int number = ports.size();
      ports.put(name, number);
      Leads leads = leads(configuration, name);
      if (leads != null) {
        // Where nobody asks the kernel, pods are taken for ports of the bridge that is theirs.
        String bridge = leads == Leads.TO_PODS ? configuration.proxy().bridgeInterface() : "";
        clientPorts.add(new ClientPort(number, name, leads, bridge));
      } else if (named.contains(name)) {
        clientPorts.add(new ClientPort(number, name, Leads.ANYWHERE));
      }
    }
    OverlaySource overlays = new OverlaySource(KernelSource.NONE);
    mirror =
        new KernelMirror(
            overlays,
            fib,
            tunnels,
            new Adjacency.Host(0, 0, 0),
            ports.entrySet().stream().map(e -> taken(e.getKey(), e.getValue())).toList(),
            routes,
            configuration.neighbours());
    ObjectSet objects = manifests == null ? ObjectSet.EMPTY : manifests.objects();
    NodeSettings node = settings(configuration, objects);
    ControlThread control =
        new ControlThread(
            manifests, mirror, node, tables(objects, configuration.node()), qsbr::reclaim);
    control.configure(Settings.clients(configuration), clientPorts, configuration.serviceCidrs());
    if (configuration.vxlan() != null) {
      control.onSurroundings(
          new Overlays(configuration, node, mirror, overlays, null, null)::follow);
    }
    control.settle();
    control.settle(); // the overlay of the objects
    own.addAll(node.view(objects, List.of()).ownAddresses());
    int host = fib.adjacencies().add(new Adjacency.Host(0, 0, 0));
    own.forEach(address -> fib.put(address, 8 * address.getAddress().length, host));
    List<InetAddress> primary = node.primary(objects, List.of());
    InetAddress ipv4 = family(primary, false);
    InetAddress ipv6 = family(primary, true);
    source4 = ipv4 != null;
    source6 = ipv6 != null;
    // Where nobody says what the node's address is, flows are masqueraded all the same.
    sources.set(ipv4 == null ? NOBODY4 : ipv4, ipv6 == null ? NOBODY6 : ipv6);
    explainer = new Explainer(services, fib, sources, this, null, System::nanoTime);
  }

  /**
   * The service table, told of more pods: where no port says who is of this node, the endpoints
   * that are must do.
   */
  private ControlThread.FrontSink tables(ObjectSet objects, String node) {
    List<String> localEndpoints =
        objects.slices().values().stream()
            .flatMap(List::stream)
            .flatMap(slice -> slice.endpoints().stream())
            .filter(endpoint -> node.equals(endpoint.nodeName()))
            .map(endpoint -> Prefix.of(endpoint.address()).toString())
            .distinct()
            .toList();
    return ControlThread.FrontSink.of(
        services,
        rules -> {
          List<String> pods = new ArrayList<>(rules.nodePods());
          pods.addAll(localEndpoints);
          return new ClientRules(
              rules.ports(),
              pods,
              rules.detect(),
              rules.clusterCidrs(),
              rules.localPorts(),
              rules.podNetworks(),
              rules.egress());
        });
  }

  /** For tests, which send real packets through the same tables. */
  ServiceTable services() {
    return services;
  }

  Fib fib() {
    return fib;
  }

  SourceAddresses sources() {
    return sources;
  }

  /** The node's addresses are the configuration's, else the Node's, else this machine's. */
  private static NodeSettings settings(GatunConfiguration configuration, ObjectSet objects) {
    NodeSettings node = Settings.node(configuration);
    return !node.nodeAddresses().isEmpty() || objects.nodes().containsKey(node.nodeName())
        ? node
        : new NodeSettings(
            node.nodeName(),
            machine(),
            node.nodePortRules(),
            node.proxyName(),
            node.masqueradeAll(),
            node.externalIPs());
  }

  private static List<InetAddress> machine() {
    try {
      return NetworkInterface.networkInterfaces()
          .flatMap(NetworkInterface::inetAddresses)
          .filter(a -> !a.isLoopbackAddress() && !a.isLinkLocalAddress())
          .toList();
    } catch (SocketException e) {
      return List.of();
    }
  }

  @Override
  public boolean sourceKnown(boolean ipv6) {
    return ipv6 ? source6 : source4;
  }

  private static @Nullable InetAddress family(List<InetAddress> primary, boolean ipv6) {
    return primary.stream().filter(a -> Addresses.isIpv6(a) == ipv6).findFirst().orElse(null);
  }

  /** Every interface that something names. */
  private static Set<String> interfaces(
      GatunConfiguration configuration, Collection<String> named) {
    Set<String> names = new LinkedHashSet<>();
    for (Interface taken : configuration.interfaces()) {
      if (taken.name().matches("[^*?]+")) {
        names.add(taken.name());
      }
    }
    for (StaticRoute route : configuration.routes()) {
      String dev = route.dev();
      if (dev != null) {
        names.add(dev);
      }
    }
    configuration.neighbours().stream().map(StaticNeighbour::dev).forEach(names::add);
    names.addAll(named);
    return names;
  }

  private static @Nullable Leads leads(GatunConfiguration configuration, String name) {
    if (name.equals(configuration.kernel().hostInterface()) || name.equals("lo")) {
      return Leads.TO_THE_HOST;
    }
    for (Interface taken : configuration.interfaces()) {
      if (taken.matches(name)) {
        return Settings.leads(taken.role());
      }
    }
    return null;
  }

  private static TakenPort taken(String name, int number) {
    return new TakenPort(number, name, 0, new MacAddress(0x02_00_00_00_00_00L | number), MTU);
  }

  /** The number of the port that the flow comes by. */
  int inPort(FlowQuery query) {
    return explainer.inPort(query, new Chain());
  }

  /** What becomes of the flow. */
  public Explanation explain(FlowQuery query) {
    return explainer.explain(query);
  }

  @Override
  public int port(String name) {
    return ports.getOrDefault(name, NO_PORT);
  }

  @Override
  public boolean allRoutesKnown() {
    return allRoutesKnown;
  }

  @Override
  public @Nullable Way way(InetAddress address) {
    if (own.contains(address)) {
      return new Way(Prefix.of(address).toString(), null, "lo", NO_PORT, LOOPBACK_MTU, true);
    }
    Way tunnel = tunnel(address);
    if (tunnel != null) {
      return tunnel;
    }
    StaticRoute best = best(address);
    if (best == null) {
      return null;
    }
    InetAddress via = best.via();
    String dev = best.dev();
    if (dev == null && via != null) {
      StaticRoute link = best(via);
      dev = link == null ? null : link.dev();
    }
    return dev == null
        ? null
        : new Way(
            best.to().toString(),
            via == null ? null : Addresses.text(via),
            dev,
            port(dev),
            MTU,
            false);
  }

  /**
   * Where nobody says how other nodes are reached, the first uplink leads there: it is not theirs
   * that is asked about, but what goes through the tunnel.
   */
  private static List<StaticRoute> withUnderlay(GatunConfiguration configuration) {
    List<StaticRoute> all = new ArrayList<>(configuration.routes());
    Vxlan vxlan = configuration.vxlan();
    String uplink =
        configuration.interfaces().stream()
            .filter(one -> one.role() == Role.UPLINK && one.name().matches("[^*?]+"))
            .map(Interface::name)
            .findFirst()
            .orElse(null);
    if (vxlan != null && uplink != null) {
      for (Peer peer : vxlan.peers()) {
        if (all.stream().noneMatch(route -> route.to().contains(peer.vtep()))) {
          all.add(new StaticRoute(Prefix.of(peer.vtep()), null, uplink));
        }
      }
    }
    return List.copyOf(all);
  }

  private @Nullable Way tunnel(InetAddress address) {
    RouteView route = mirror.route(address);
    RouteView.Way way = route == null || route.ways().isEmpty() ? null : route.ways().getFirst();
    TunnelView tunnel = way == null ? null : way.tunnel();
    if (route == null || way == null || tunnel == null) {
      return null;
    }
    InetAddress via = way.via();
    return new Way(
        route.prefix().toString(),
        via == null ? null : Addresses.text(via),
        way.dev(),
        NO_PORT,
        Math.min(tunnel.mtu(), MTU - Tunnel.overhead(tunnel.remote())),
        false,
        new Explanation.Tunnel(tunnel.vni(), Addresses.text(tunnel.remote())));
  }

  private @Nullable StaticRoute best(InetAddress address) {
    Map<Integer, StaticRoute> byLength = new HashMap<>();
    int longest = -1;
    for (StaticRoute route : routes) {
      if (route.to().contains(address)) {
        byLength.put(route.to().length(), route);
        longest = Math.max(longest, route.to().length());
      }
    }
    return byLength.get(longest);
  }

  @Override
  public void close() {
    explainer.close();
    fib.close();
    services.close();
    tunnels.close();
    flows.close();
  }
}
