package io.gatun.agent.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who is known by what it leaves in the kernel, in the words of its own sources. */
class RivalsTest {
  private static List<String> found(Chains chains, String... links) {
    return Rivals.find(chains, List.of(links)).stream()
        .filter(finding -> finding.status() == Finding.Status.FAILURE)
        .peek(finding -> assertFalse(finding.remedy().isEmpty(), finding.toString()))
        .map(Finding::check)
        .toList();
  }

  @ParameterizedTest
  @CsvSource({
    "kube-proxy, KUBE-SERVICES",
    "calico, cali-FORWARD",
    "calico, cali-tw-cali1234",
    "kube-router, KUBE-ROUTER-FORWARD",
    "kube-router, KUBE-POD-FW-XYZ",
    "kube-router, KUBE-NWPLCY-DEFAULT",
    "cilium, CILIUM_FORWARD",
    "cilium, OLD_CILIUM_POST_nat",
    "antrea, ANTREA-FORWARD",
    "weave, WEAVE-NPC",
    "portmap, CNI-HOSTPORT-DNAT",
    "portmap, CNI-DN-0123456789",
  })
  void shouldKnowIptablesChains(String name, String chain) {
    Set<String> chains = new TreeSet<>();
    Chains.iptables("*nat\n:PREROUTING ACCEPT [0:0]\n:" + chain + " - [0:0]\nCOMMIT\n", chains);
    assertEquals(List.of(name), found(new Chains(Set.of(), chains, true)));
  }

  @ParameterizedTest
  @CsvSource({
    "kube-proxy, ip, kube-proxy, services",
    "kube-proxy, ip6, kube-proxy, services",
    "calico, ip, calico, filter-cali-FORWARD",
    "kube-network-policies, inet, kindnet-network-policies, postrouting",
    "portmap, inet, cni_hostport, hostports",
  })
  void shouldKnowNftablesTables(String name, String family, String table, String chain) {
    String text =
        """
        {"nftables": [{"metainfo": {"version": "1.0.6"}},
          {"chain": {"family": "%s", "table": "%s", "name": "%s", "handle": 1}}]}
        """
            .formatted(family, table, chain);
    Set<String> tables = new TreeSet<>();
    Set<String> chains = new TreeSet<>();
    Chains.nft(text, tables, chains);
    assertEquals(List.of(name), found(new Chains(tables, chains, true)));
  }

  @Test
  void shouldKnowIpvsByItsDeviceAndLeaveOthersAlone() {
    Chains hosts = new Chains(Set.of("filter"), Set.of("INPUT", "DOCKER", "ufw-user"), true);
    assertEquals(List.of("ipvs"), found(hosts, "eth0", "kube-ipvs0"));
    assertEquals(List.of(), found(hosts, "eth0", "docker0"));
    assertEquals(List.of(), found(new Chains(Set.of(), Set.of(), false)));
  }
}
