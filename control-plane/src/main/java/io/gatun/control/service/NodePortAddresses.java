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
  /** Words among the CIDRs; each speaks for both families. */
  public static final List<String> KEYWORDS = List.of("primary", "all", "localhost");

  private NodePortAddresses() {}

  /**
   * Those of {@code local} that {@code rules} choose, never a loopback address.
   *
   * @param rules {@code nodePortAddresses}: CIDRs and {@link #KEYWORDS}; empty means primary. A
   *     family for which none is listed takes all addresses of that family.
   * @param primary the node's primary address of each family
   * @param local every address that the node has
   */
  public static List<InetAddress> choose(
      List<String> rules, Collection<InetAddress> primary, Collection<InetAddress> local) {
    List<Prefix> listed = new ArrayList<>();
    for (String rule : rules.isEmpty() ? List.of("primary") : rules) {
      switch (rule) {
        case "primary" -> primary.forEach(address -> listed.add(Prefix.of(address)));
        case "all" -> listed.addAll(prefixes("0.0.0.0/0", "::/0"));
        case "localhost" -> listed.addAll(prefixes("127.0.0.0/8", "::1/128"));
        default -> listed.addAll(prefixes(rule));
      }
    }
    boolean both = rules.isEmpty() || rules.stream().anyMatch(KEYWORDS::contains);
    Set<InetAddress> known = new LinkedHashSet<>(primary);
    known.addAll(local);
    known.removeIf(InetAddress::isLoopbackAddress);
    Set<InetAddress> chosen = new LinkedHashSet<>();
    for (boolean ipv6 : new boolean[] {false, true}) {
      List<Prefix> its =
          listed.stream().filter(p -> Addresses.isIpv6(p.address()) == ipv6).toList();
      known.stream()
          .filter(address -> Addresses.isIpv6(address) == ipv6)
          .filter(address ->
              its.isEmpty() ? !both : its.stream().anyMatch(prefix -> prefix.contains(address)))
          .forEach(chosen::add);
    }
    return List.copyOf(chosen);
  }

  private static List<Prefix> prefixes(String... texts) {
    List<Prefix> prefixes = new ArrayList<>();
    for (String text : texts) {
      Prefix prefix = Prefix.parse(text);
      if (prefix == null) {
        throw new IllegalArgumentException("got %s, expected a CIDR".formatted(text));
      }
      prefixes.add(prefix);
    }
    return prefixes;
  }
}
