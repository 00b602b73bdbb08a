package io.gatun.agent.egress;

import io.gatun.agent.check.Firewall;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import io.gatun.service.ClientRules.Egress;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** In which families the rules masquerade pods that leave the pod networks. Stateless. */
public final class PodEgress {
  /** Public addresses that no rule is likely to name. */
  private static final InetAddress OUTSIDE4 = InetAddress.ofLiteral("1.1.1.1");

  private static final InetAddress OUTSIDE6 = InetAddress.ofLiteral("2606:4700:4700::1111");

  private PodEgress() {}

  /**
   * What the rules of {@code firewall} say.
   *
   * @param podNetworks in CIDR notation
   * @param uplinks names of the interfaces by which pods leave
   */
  public static Egress of(Firewall firewall, Collection<String> podNetworks, Set<String> uplinks) {
    List<NatChains> all = new ArrayList<>();
    String nft = firewall.nft();
    if (nft != null) {
      all.add(NftRules.read(nft));
    }
    for (Firewall.Saved saved : firewall.iptables()) {
      NatChains.Family family = saved.ipv6() ? NatChains.Family.IPV6 : NatChains.Family.IPV4;
      all.add(IptablesRules.read(saved.text(), family));
    }
    return of(all, podNetworks, uplinks);
  }

  /**
   * The same by their chains.
   *
   * @param all of every table
   * @param podNetworks in CIDR notation
   * @param uplinks names of the interfaces by which pods leave
   */
  static Egress of(List<NatChains> all, Collection<String> podNetworks, Set<String> uplinks) {
    List<Prefix> pods = podNetworks.stream().map(Prefix::parse).filter(Objects::nonNull).toList();
    List<InetAddress> sources = new ArrayList<>();
    pods.forEach(network -> sources.add(inside(network)));
    for (NatChains chains : all) { // some rules are about one pod, or one node's
      for (Prefix named : chains.sources()) {
        if (pods.stream().anyMatch(network -> network.contains(named.address()))) {
          sources.add(named.length() < 31 ? inside(named) : named.address());
        }
      }
    }
    boolean ipv4 = false;
    boolean ipv6 = false;
    for (InetAddress source : sources) {
      boolean six = Addresses.isIpv6(source);
      Probe probe = new Probe(source, six ? OUTSIDE6 : OUTSIDE4, uplinks);
      boolean masqueraded = all.stream().anyMatch(chains -> chains.masquerades(probe));
      ipv4 |= masqueraded && !six;
      ipv6 |= masqueraded && six;
    }
    return new Egress(ipv4, ipv6);
  }

  /** An address that a pod may have there: not the first, which is the network's. */
  private static InetAddress inside(Prefix network) {
    byte[] bytes = network.address().getAddress();
    bytes[bytes.length - 1] |= 2;
    return Addresses.of(bytes);
  }
}
