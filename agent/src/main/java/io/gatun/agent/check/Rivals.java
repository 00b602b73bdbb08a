package io.gatun.agent.check;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Who hooks the kernel's forwarding: what Gatun forwards passes none of these hooks, so taking over
 * would switch them off without a word. Found by the names that each gives to its chains.
 */
public final class Rivals {
  private record Rival(String name, String table, String chain, String what, String remedy) {
    boolean isIn(Chains chains) {
      return chains.tables().stream().anyMatch(matches(table))
          || chains.chains().stream().anyMatch(matches(chain));
    }

    private static Predicate<String> matches(String pattern) {
      return Pattern.compile(pattern).asMatchPredicate();
    }
  }

  private static final String POLICY = "network policies that would no longer be enforced";

  private static final List<Rival> KNOWN =
      List.of(
          new Rival(
              "kube-proxy",
              "kube-proxy",
              "KUBE-SERVICES",
              "kube-proxy's rules, which would translate what Gatun leaves to the kernel",
              "stop kube-proxy, then: kube-proxy --cleanup"),
          new Rival(
              "calico",
              "calico",
              "cali-.*",
              "Calico's chains: " + POLICY,
              "remove Calico's Felix, then its cali-* chains"),
          new Rival(
              "kube-router",
              "",
              "KUBE-ROUTER-.*|KUBE-POD-FW-.*|KUBE-NWPLCY-.*",
              "kube-router's chains: " + POLICY,
              "kube-router --cleanup-config"),
          new Rival(
              "cilium", "", "(OLD_)?CILIUM_.*", "Cilium's chains: " + POLICY, "cilium-dbg cleanup"),
          new Rival(
              "antrea", "", "ANTREA-.*", "Antrea's chains: " + POLICY, "remove the Antrea agent"),
          new Rival("weave", "", "WEAVE-NPC.*", "Weave's chains: " + POLICY, "weave reset"),
          new Rival(
              "kube-network-policies",
              "kube-network-policies|kindnet-network-policies",
              "KUBE-NETWORK-POLICIES",
              "an engine for " + POLICY,
              "remove its DaemonSet, then: nft delete table inet kube-network-policies"),
          new Rival(
              "portmap",
              "cni_hostport",
              "CNI-HOSTPORT-.*|CNI-DN-.*",
              "portmap's host ports, which would lose their replies",
              "remove portmap from the CNI configuration and restart its pods"));

  private static final String IPVS = "ipvs";
  private static final String IPVS_LINK = "kube-ipvs0";
  private static final String UNKNOWN = "firewall";

  private Rivals() {}

  /** What {@code --ignore} may name. */
  public static List<String> names() {
    List<String> names = new ArrayList<>(KNOWN.stream().map(Rival::name).toList());
    names.addAll(List.of(IPVS, InterfaceChecks.FOREIGN_XDP));
    return names;
  }

  /** A failure for each that is there, and one good word when there is none. */
  public static List<Finding> find(Firewall firewall, Collection<String> links) {
    return find(Chains.of(firewall), links);
  }

  static List<Finding> find(Chains chains, Collection<String> links) {
    List<Finding> findings = new ArrayList<>();
    for (Rival rival : KNOWN) {
      if (rival.isIn(chains)) {
        findings.add(Finding.failure(rival.name, rival.what, rival.remedy));
      }
    }
    if (Set.copyOf(links).contains(IPVS_LINK)) {
      findings.add(
          Finding.failure(
              IPVS,
              IPVS_LINK + ": kube-proxy's IPVS mode answers for Service addresses",
              "stop kube-proxy, then: kube-proxy --cleanup"));
    }
    if (!chains.seen()) {
      findings.add(
          Finding.warning(
              UNKNOWN,
              "neither nft nor iptables-save is installed: others' rules cannot be seen",
              "apt-get install nftables"));
    } else if (findings.isEmpty()) {
      findings.add(Finding.ok(UNKNOWN, "nobody else's Service or policy rules"));
    }
    return findings;
  }
}
