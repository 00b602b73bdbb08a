package io.gatun.control.service;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The addresses of this node that answer node ports. */
public final class NodePortAddresses {
  private NodePortAddresses() {}

  /**
   * Those of {@code local} that {@code rules} choose, never a loopback address.
   *
   * @param rules {@code nodePortAddresses}: CIDRs, or {@code primary}, or {@code all}; empty means
   *     primary. A family for which no CIDR is listed takes all addresses of that family.
   * @param primary the node's primary address of each family
   * @param local every address that the node has
   */
  public static List<InetAddress> choose(
      List<String> rules, Collection<InetAddress> primary, Collection<InetAddress> local) {
    Set<InetAddress> chosen = new LinkedHashSet<>();
    if (rules.isEmpty() || rules.contains("primary")) {
      chosen.addAll(primary);
    } else if (rules.contains("all")) {
      chosen.addAll(local);
    } else {
      chosen.addAll(inside(rules, local, false));
      chosen.addAll(inside(rules, local, true));
    }
    chosen.removeIf(InetAddress::isLoopbackAddress);
    return List.copyOf(chosen);
  }

  private static List<InetAddress> inside(
      List<String> rules, Collection<InetAddress> local, boolean ipv6) {
    List<Prefix> prefixes = new ArrayList<>();
    for (String rule : rules) {
      Prefix prefix = Prefix.parse(rule);
      if (prefix != null && Addresses.isIpv6(prefix.address()) == ipv6) {
        prefixes.add(prefix);
      }
    }
    return local.stream()
        .filter(address -> Addresses.isIpv6(address) == ipv6)
        .filter(address ->
            prefixes.isEmpty() || prefixes.stream().anyMatch(prefix -> prefix.contains(address)))
        .toList();
  }
}
