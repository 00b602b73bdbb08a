package io.gatun.control.nftables;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import io.gatun.control.model.Protocol;
import io.gatun.control.service.FrontChange;
import io.gatun.service.EndpointSet;
import io.gatun.service.FrontKey;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Writes texts for {@code nft -f}: all rules of one family, or what a change changes of them. Knows
 * what it wrote last. For one thread.
 *
 * <p>Of kube-proxy's rules there is what decides where traffic goes: cluster IPs, external and load
 * balancer addresses, node ports, both policies, masquerade, session affinity, source ranges, and
 * the rejects and drops where there is no endpoint. Host ports have no counterpart there, and are
 * left out.
 */
public final class KubeProxyRules {
  private final boolean ipv6;
  private final String table;
  private final List<Prefix> podNetworks;
  private final Map<FrontKey, FrontSpec> fronts = new HashMap<>();
  private final Map<String, Integer> chains = new HashMap<>();
  private final Map<InetAddress, Integer> clusterIps = new HashMap<>();

  /**
   * Nothing is written yet.
   *
   * @param table its name; kube-proxy's is {@code kube-proxy}
   * @param podNetworks clients outside of them are masqueraded to cluster IPs; empty: nobody is
   */
  public KubeProxyRules(boolean ipv6, String table, List<Prefix> podNetworks) {
    this.ipv6 = ipv6;
    this.table = table;
    this.podNetworks =
        podNetworks.stream().filter(prefix -> Addresses.isIpv6(prefix.address()) == ipv6).toList();
  }

  /** Replaces the table by one for these fronts; those of the other family are passed over. */
  public String all(Collection<FrontSpec> wanted) {
    fronts.clear();
    chains.clear();
    clusterIps.clear();
    StringBuilder text = new StringBuilder(1 << 16);
    text.append("add table ").append(family()).append("\ndelete table ").append(family());
    text.append('\n');
    base(text);
    wanted.forEach(front -> add(front, text));
    return text.toString();
  }

  /** What {@code change} changes; empty when nothing of this family does. */
  public String delta(FrontChange change) {
    StringBuilder text = new StringBuilder();
    for (FrontKey key : change.removed()) {
      remove(key, text);
    }
    for (FrontSpec front : change.changedOrNew()) {
      remove(front.key(), text);
      add(front, text);
    }
    return text.toString();
  }

  private String family() {
    return (ipv6 ? "ip6 " : "ip ") + table;
  }

  /** kube-proxy's base chains, at its hooks and priorities, and its maps. */
  private void base(StringBuilder text) {
    String ip = ipv6 ? "ip6" : "ip";
    String type = ipv6 ? "ipv6_addr" : "ipv4_addr";
    text.append(
        """
        table %1$s {
          comment "rules for kube-proxy";
          set cluster-ips { type %3$s; }
          set nodeport-ips { type %3$s; }
          map firewall-ips { type %3$s . inet_proto . inet_service : verdict; }
          map no-endpoint-nodeports { type inet_proto . inet_service : verdict; }
          map no-endpoint-services { type %3$s . inet_proto . inet_service : verdict; }
          map service-nodeports { type inet_proto . inet_service : verdict; }
          map service-ips { type %3$s . inet_proto . inet_service : verdict; }
          chain filter-prerouting-pre-dnat { type filter hook prerouting priority -110; ct state new jump firewall-check; }
          chain filter-output-pre-dnat { type filter hook output priority -110; ct state new jump firewall-check; }
          chain filter-forward { type filter hook forward priority 0; ct state new jump service-endpoints-check; ct state new jump cluster-ips-check; }
          chain filter-input { type filter hook input priority 0; ct state new jump nodeport-endpoints-check; ct state new jump service-endpoints-check; }
          chain filter-output { type filter hook output priority 0; ct state new jump service-endpoints-check; ct state new jump cluster-ips-check; }
          chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
          chain nat-output { type nat hook output priority -100; jump services; }
          chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }
          chain firewall-check { %2$s daddr . meta l4proto . th dport vmap @firewall-ips; }
          chain service-endpoints-check { %2$s daddr . meta l4proto . th dport vmap @no-endpoint-services; }
          chain nodeport-endpoints-check { %2$s daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports; }
          chain cluster-ips-check { %2$s daddr @cluster-ips reject; }
          chain services {
            %2$s daddr . meta l4proto . th dport vmap @service-ips
            %2$s daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
          }
          chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
          chain masquerading { meta mark & 0x4000 == 0 return; meta mark set meta mark xor 0x4000; masquerade fully-random; }
          chain reject-chain { reject; }
        }
        """
            .formatted(family(), ip, type));
  }

  private void add(FrontSpec front, StringBuilder text) {
    if (Addresses.isIpv6(front.address()) != ipv6
        || front.kind() == FrontKind.HOST_PORT
        || fronts.putIfAbsent(front.key(), front) != null) {
      return;
    }
    if (front.kind() == FrontKind.CLUSTER_IP
        && clusterIps.merge(front.address(), 1, Integer::sum) == 1) {
      element(text, "add", "cluster-ips", Addresses.text(front.address()));
    }
    if (front.kind() == FrontKind.NODE_PORT) {
      element(text, "add", "nodeport-ips", Addresses.text(front.address()));
    }
    EndpointSet set = endpoints(front);
    if (set.isEmpty()) {
      boolean none = front.backends().cluster().isEmpty();
      element(
          text,
          "add",
          noEndpointMap(front),
          key(front) + " : " + (none ? "goto reject-chain" : "drop"));
      return;
    }
    String chain = chain(front);
    if (chains.merge(chain, 1, Integer::sum) == 1) {
      chain(front, chain, set, text);
    }
    if (!front.sourceRanges().isEmpty()) {
      firewall(front, text);
    }
    element(text, "add", map(front), key(front) + " : goto " + chain);
  }

  private void remove(FrontKey key, StringBuilder text) {
    FrontSpec front = fronts.remove(key);
    if (front == null) {
      return;
    }
    if (front.kind() == FrontKind.CLUSTER_IP
        && clusterIps.merge(front.address(), -1, KubeProxyRules::sumOrNone) == null) {
      element(text, "delete", "cluster-ips", Addresses.text(front.address()));
    }
    if (endpoints(front).isEmpty()) {
      element(text, "delete", noEndpointMap(front), key(front));
      return;
    }
    element(text, "delete", map(front), key(front));
    if (!front.sourceRanges().isEmpty()) {
      element(text, "delete", "firewall-ips", key(front));
      delete(text, "firewall-" + name(front));
    }
    String chain = chain(front);
    if (chains.merge(chain, -1, KubeProxyRules::sumOrNone) == null) {
      delete(text, chain);
      for (InetSocketAddress endpoint : endpoints(front).endpoints()) {
        delete(text, endpointChain(chain, endpoint));
      }
      if (front.affinity().seconds() > 0) {
        for (InetSocketAddress endpoint : endpoints(front).endpoints()) {
          text.append("delete set ").append(family()).append(' ');
          text.append(affinitySet(chain, endpoint)).append('\n');
        }
      }
    }
  }

  private static @Nullable Integer sumOrNone(Integer a, Integer b) {
    return a + b == 0 ? null : a + b;
  }

  /** A Service's chain: whom to masquerade, and one endpoint at random. */
  private void chain(FrontSpec front, String chain, EndpointSet set, StringBuilder text) {
    String ip = ipv6 ? "ip6" : "ip";
    boolean sticky = front.affinity().seconds() > 0;
    for (InetSocketAddress endpoint : set.endpoints()) {
      String to = endpointChain(chain, endpoint);
      text.append("add chain ").append(family()).append(' ').append(to).append('\n');
      rule(
          text,
          to,
          ip + " saddr " + Addresses.text(endpoint.getAddress()) + " jump mark-for-masquerade");
      if (sticky) {
        text.append(
            "add set %s %s { type %s; flags dynamic,timeout; timeout %ds; }\n"
                .formatted(
                    family(),
                    affinitySet(chain, endpoint),
                    ipv6 ? "ipv6_addr" : "ipv4_addr",
                    front.affinity().seconds()));
        rule(text, to, "update @" + affinitySet(chain, endpoint) + " { " + ip + " saddr }");
      }
      rule(text, to, "meta l4proto " + protocol(front) + " dnat to " + Addresses.text(endpoint));
    }
    text.append("add chain ").append(family()).append(' ').append(chain).append('\n');
    switch (front.masquerade()) {
      case EVERYBODY -> rule(text, chain, "jump mark-for-masquerade");
      case STRANGERS -> {
        if (!podNetworks.isEmpty()) {
          String networks = String.join(", ", podNetworks.stream().map(Prefix::toString).toList());
          rule(text, chain, ip + " saddr != { " + networks + " } jump mark-for-masquerade");
        }
      }
      case NOBODY -> {}
    }
    StringBuilder choices = new StringBuilder();
    int number = 0;
    for (InetSocketAddress endpoint : set.endpoints()) {
      String to = endpointChain(chain, endpoint);
      if (sticky) {
        rule(text, chain, ip + " saddr @" + affinitySet(chain, endpoint) + " goto " + to);
      }
      choices.append(choices.isEmpty() ? "" : ", ").append(number++).append(" : goto ").append(to);
    }
    rule(text, chain, "numgen random mod " + set.size() + " vmap { " + choices + " }");
  }

  private void firewall(FrontSpec front, StringBuilder text) {
    String chain = "firewall-" + name(front);
    text.append("add chain ").append(family()).append(' ').append(chain).append('\n');
    Set<String> ranges = new HashSet<>(front.sourceRanges());
    rule(
        text,
        chain,
        (ipv6 ? "ip6" : "ip")
            + " saddr != { "
            + String.join(", ", ranges.stream().sorted().toList())
            + " } drop");
    element(text, "add", "firewall-ips", key(front) + " : goto " + chain);
  }

  private void rule(StringBuilder text, String chain, String rule) {
    text.append("add rule ").append(family()).append(' ').append(chain).append(' ').append(rule);
    text.append('\n');
  }

  private void element(StringBuilder text, String verb, String set, String element) {
    text.append(verb).append(" element ").append(family()).append(' ').append(set);
    text.append(" { ").append(element).append(" }\n");
  }

  private void delete(StringBuilder text, String chain) {
    text.append("flush chain ").append(family()).append(' ').append(chain).append('\n');
    text.append("delete chain ").append(family()).append(' ').append(chain).append('\n');
  }

  private static EndpointSet endpoints(FrontSpec front) {
    return front.policyLocal() ? front.backends().local() : front.backends().cluster();
  }

  private static String map(FrontSpec front) {
    return front.kind() == FrontKind.NODE_PORT ? "service-nodeports" : "service-ips";
  }

  private static String noEndpointMap(FrontSpec front) {
    return front.kind() == FrontKind.NODE_PORT ? "no-endpoint-nodeports" : "no-endpoint-services";
  }

  private static String protocol(FrontSpec front) {
    return Protocol.word(front.protocol()).toLowerCase(Locale.ROOT);
  }

  private static String key(FrontSpec front) {
    String port = protocol(front) + " . " + front.port();
    return front.kind() == FrontKind.NODE_PORT
        ? port
        : Addresses.text(front.address()) + " . " + port;
  }

  /** A hash and what is left of the name, as kube-proxy's chains have them. */
  private static String name(FrontSpec front) {
    return hash(front.key().toString()) + "-" + front.kind().ordinal();
  }

  /** Fronts of one Service port with the same endpoints and the same masquerade share a chain. */
  private static String chain(FrontSpec front) {
    return "service-"
        + hash(
            front.service()
                + front.protocol()
                + front.policyLocal()
                + front.masquerade()
                + endpoints(front).hashCode());
  }

  private static String endpointChain(String chain, InetSocketAddress endpoint) {
    return "endpoint-"
        + chain.substring("service-".length())
        + "-"
        + hash(Addresses.text(endpoint));
  }

  private static String affinitySet(String chain, InetSocketAddress endpoint) {
    return "affinity-"
        + chain.substring("service-".length())
        + "-"
        + hash(Addresses.text(endpoint));
  }

  private static String hash(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    CRC32C first = new CRC32C();
    first.update(bytes);
    CRC32C second = new CRC32C();
    second.update(bytes, 0, bytes.length / 2);
    second.update(7);
    second.update(bytes, bytes.length / 2, bytes.length - bytes.length / 2);
    return Long.toString(first.getValue() << 31 ^ second.getValue(), 36).replace('-', 'z');
  }
}
