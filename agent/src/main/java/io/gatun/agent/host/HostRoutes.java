package io.gatun.agent.host;

import io.gatun.control.document.Prefix;
import io.gatun.packet.IpProtocol;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import io.gatun.service.FrontSpec.Masquerade;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which rules and routes lead the host's traffic to its pair; a pure function. */
final class HostRoutes {
  /** Services, and the pair's far end. */
  static final int SERVICES = 10_300;

  /** Everything: for what a rule of its own chooses. */
  static final int EVERYTHING = 10_301;

  /** Pods of this node: for replies of servers of the node. */
  static final int PODS = 10_302;

  private static final Map<Integer, String> PROTOCOLS = Map.of(6, "tcp", 17, "udp", 132, "sctp");

  private final HostPair pair;

  HostRoutes(HostPair pair) {
    this.pair = pair;
  }

  /**
   * In the order in which they are made; undone in the opposite one. None for a family whose
   * primary address the node does not have: the kernel takes no route with it as source.
   */
  List<Setting> settings(HostView node, Collection<FrontSpec> fronts) {
    List<Setting> settings = new ArrayList<>();
    settings.add(pair.link());
    List<InetAddress> sources = new ArrayList<>(node.primary());
    sources.retainAll(node.own());
    for (InetAddress source : sources) {
      family(source instanceof Inet6Address, source.getHostAddress(), node, fronts, settings);
    }
    return settings;
  }

  private void family(
      boolean ipv6,
      String source,
      HostView node,
      Collection<FrontSpec> fronts,
      List<Setting> settings) {
    String far = (ipv6 ? HostPair.FAR6 : HostPair.FAR4).getHostAddress();
    int whole = ipv6 ? 128 : 32;
    String way = "via %s dev %s onlink src %s".formatted(far, pair.name(), source);
    List<Prefix> services = ofFamily(node.services(), ipv6);
    for (Prefix prefix : services) {
      settings.add(
          Setting.rule(ipv6, "pref 80 iif %s to %s unreachable".formatted(pair.far(), prefix)));
    }
    // Nobody's: neither we nor the kernel pass on what comes for it without a flow.
    String hole = "blackhole " + far + "/" + whole;
    settings.add(new Setting(ipv6, "route replace " + hole, "route del " + hole));
    settings.add(
        Setting.route(
            ipv6, far + "/" + whole, "dev %s src %s".formatted(pair.name(), source), SERVICES));
    settings.add(Setting.route(ipv6, "default", way, EVERYTHING));
    Set<Prefix> there = new TreeSet<>((a, b) -> a.toString().compareTo(b.toString()));
    there.addAll(services);
    for (FrontSpec front : fronts) {
      InetAddress address = front.address();
      if (address instanceof Inet6Address == ipv6
          && !node.own().contains(address)
          && services.stream().noneMatch(prefix -> prefix.contains(address))) {
        there.add(Prefix.of(address));
      }
    }
    there.forEach(prefix -> settings.add(Setting.route(ipv6, prefix.toString(), way, SERVICES)));
    nodePorts(ipv6, node, fronts, settings);
    settings.add(Setting.rule(ipv6, "pref 100 lookup local"));
    settings.add(
        new Setting(
            ipv6, "rule del pref 0 lookup local", "rule add pref 0 lookup local protocol kernel"));
    settings.add(Setting.rule(ipv6, "pref 101 iif lo lookup " + SERVICES));
    Set<String> servers = servers(ipv6, node, fronts);
    if (!servers.isEmpty()) {
      ofFamily(node.pods(), ipv6)
          .forEach(pod -> settings.add(Setting.route(ipv6, pod.toString(), way, PODS)));
      servers.forEach(rule -> settings.add(Setting.rule(ipv6, rule)));
    }
  }

  /** The node to fronts on its own addresses, before the local table is asked. */
  private static void nodePorts(
      boolean ipv6, HostView node, Collection<FrontSpec> fronts, List<Setting> settings) {
    record Front(String address, String protocol) {}
    Map<String, Front> names = new TreeMap<>();
    Map<String, TreeSet<Integer>> ports = new TreeMap<>();
    for (FrontSpec front : fronts) {
      String protocol = protocol(front, ipv6, node);
      if (protocol != null) {
        Front at = new Front(front.address().getHostAddress(), protocol);
        names.put(at.toString(), at);
        ports.computeIfAbsent(at.toString(), _ -> new TreeSet<>()).add(front.port());
      }
    }
    names.forEach((name, at) -> {
      for (String range : PortRanges.of(ports.getOrDefault(name, new TreeSet<>()))) {
        settings.add(
            Setting.rule(
                ipv6,
                "pref 90 iif lo to %s ipproto %s dport %s lookup %d"
                    .formatted(at.address, at.protocol, range, EVERYTHING)));
      }
    });
  }

  /** The protocol's name for a front on an address of the node, null for all others. */
  private static @Nullable String protocol(FrontSpec front, boolean ipv6, HostView node) {
    return front.kind() != FrontKind.CLUSTER_IP
            && front.address() instanceof Inet6Address == ipv6
            && node.own().contains(front.address())
        ? PROTOCOLS.get(front.protocol())
        : null;
  }

  /**
   * Rules for the replies of servers of the node itself: to pods of this node, and where clients'
   * addresses are kept to all, they have to be translated back. Replies that need not be pass
   * unchanged.
   */
  private static Set<String> servers(boolean ipv6, HostView node, Collection<FrontSpec> fronts) {
    Set<String> rules = new TreeSet<>();
    for (FrontSpec front : fronts) {
      String protocol = PROTOCOLS.get(front.protocol());
      boolean kept =
          front.kind() != FrontKind.CLUSTER_IP && front.masquerade() != Masquerade.EVERYBODY;
      Set<InetSocketAddress> endpoints = new HashSet<>(front.backends().cluster().endpoints());
      endpoints.addAll(front.backends().local().endpoints());
      for (InetSocketAddress endpoint : endpoints) {
        InetAddress address = endpoint.getAddress();
        if (protocol != null
            && address instanceof Inet6Address == ipv6
            && node.own().contains(address)) {
          // A socket of UDP that is bound to no address has none when its way is looked up.
          String from =
              front.protocol() == IpProtocol.UDP ? "" : "from " + address.getHostAddress() + " ";
          String server =
              "iif lo %sipproto %s sport %d".formatted(from, protocol, endpoint.getPort());
          rules.add("pref 102 %s lookup %d".formatted(server, PODS));
          if (kept) {
            rules.add("pref 103 %s lookup %d".formatted(server, EVERYTHING));
          }
        }
      }
    }
    return rules;
  }

  private static List<Prefix> ofFamily(List<Prefix> prefixes, boolean ipv6) {
    return prefixes.stream()
        .filter(prefix -> prefix.address() instanceof Inet6Address == ipv6)
        .toList();
  }
}
