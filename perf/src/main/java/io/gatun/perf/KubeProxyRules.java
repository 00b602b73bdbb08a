package io.gatun.perf;

/**
 * What kube-proxy in nftables mode (Kubernetes 1.33 and later, {@code pkg/proxy/nftables}) makes of
 * one ClusterIP with one endpoint: the same base chains at the same hooks and priorities, the same
 * maps and checks on the way. The kernel with these rules is the peer of our Service path.
 */
final class KubeProxyRules {
  static final String TABLE = "kube-proxy";

  private KubeProxyRules() {}

  /**
   * Rules for {@code nft -f}, in a table of its own.
   *
   * @param protocol {@code tcp} or {@code udp}
   * @param port of the Service and of its endpoint
   * @param podNetwork sources outside of it are masqueraded
   */
  static String of(
      String protocol, String clusterIp, int port, String endpoint, String podNetwork) {
    return """
    table ip kube-proxy {
      comment "rules for kube-proxy";
      set cluster-ips { type ipv4_addr; elements = { %2$s } }
      set nodeport-ips { type ipv4_addr; }
      map firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
      map no-endpoint-nodeports { type inet_proto . inet_service : verdict; }
      map no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict; }
      map service-nodeports { type inet_proto . inet_service : verdict; }
      map service-ips {
        type ipv4_addr . inet_proto . inet_service : verdict;
        elements = { %2$s . %1$s . %3$d : goto service-bench }
      }
      chain filter-prerouting-pre-dnat {
        type filter hook prerouting priority -110;
        ct state new jump firewall-check
      }
      chain filter-output-pre-dnat {
        type filter hook output priority -110;
        ct state new jump firewall-check
      }
      chain filter-forward {
        type filter hook forward priority 0;
        ct state new jump service-endpoints-check
        ct state new jump cluster-ips-check
      }
      chain filter-input {
        type filter hook input priority 0;
        ct state new jump nodeport-endpoints-check
        ct state new jump service-endpoints-check
      }
      chain filter-output {
        type filter hook output priority 0;
        ct state new jump service-endpoints-check
        ct state new jump cluster-ips-check
      }
      chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
      chain nat-output { type nat hook output priority -100; jump services; }
      chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }
      chain firewall-check { ip daddr . meta l4proto . th dport vmap @firewall-ips; }
      chain service-endpoints-check {
        ip daddr . meta l4proto . th dport vmap @no-endpoint-services
      }
      chain nodeport-endpoints-check {
        ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
      }
      chain cluster-ips-check { ip daddr @cluster-ips reject; }
      chain services {
        ip daddr . meta l4proto . th dport vmap @service-ips
        ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
      }
      chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
      chain masquerading {
        meta mark & 0x4000 == 0 return
        meta mark set meta mark xor 0x4000
        masquerade fully-random
      }
      chain service-bench {
        ip daddr %2$s ip saddr != %5$s jump mark-for-masquerade
        numgen random mod 1 vmap { 0 : goto endpoint-bench }
      }
      chain endpoint-bench {
        ip saddr %4$s jump mark-for-masquerade
        meta l4proto %1$s dnat to %4$s:%3$d
      }
    }
    """
        .formatted(protocol, clusterIp, port, endpoint, podNetwork);
  }
}
