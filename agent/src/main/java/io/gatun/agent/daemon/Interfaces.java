package io.gatun.agent.daemon;

import io.gatun.agent.UsageException;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.control.document.MacAddress;
import io.gatun.control.kernel.TakenPort;
import io.gatun.ffm.netlink.Link;
import io.gatun.ffm.netlink.Rtnetlink;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Finds the interfaces of this machine that a configuration means. */
final class Interfaces {
  private static final String LOOPBACK = "lo";

  private Interfaces() {}

  /**
   * An interface to take: what the tables need to know of it, and what it leads to.
   *
   * @param driver by which its frames are got, never {@link Driver#AUTO}
   * @param veth whether a local stack at the far end leaves checksums for others to complete
   */
  record Taken(TakenPort port, Role role, Driver driver, boolean veth) {}

  /**
   * Numbered from 0, in the order of the configuration; within a glob by index. An entry that means
   * no interface is an error unless it is a glob: pods may come later.
   */
  static List<Taken> find(GatunConfiguration configuration) {
    if (configuration.interfaces().isEmpty()) {
      throw new UsageException(
          "interfaces: got none, expected at least one {name, role}; they are not discovered yet");
    }
    List<Link> links;
    try (Rtnetlink kernel = new Rtnetlink()) {
      links = kernel.links().stream().sorted(Comparator.comparingInt(Link::index)).toList();
    }
    List<Taken> taken = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (GatunConfiguration.Interface wanted : configuration.interfaces()) {
      Driver driver = driver(wanted);
      int before = taken.size();
      for (Link link : links) {
        if (wanted.matches(link.name())
            && !link.name().equals(LOOPBACK)
            && names.add(link.name())) {
          boolean veth = link.kind().equals("veth");
          taken.add(new Taken(port(taken.size(), link), wanted.role(), driver, veth));
        }
      }
      if (taken.size() == before && wanted.name().matches("[^*?]+")) {
        throw new UsageException(
            "interfaces: %s does not exist, expected one of %s"
                .formatted(wanted.name(), links.stream().map(Link::name).toList()));
      }
    }
    return List.copyOf(taken);
  }

  /** Pods' ports carry whole segments, ways out small packets: docs/architecture.md has figures. */
  private static Driver driver(GatunConfiguration.Interface wanted) {
    Driver driver = wanted.driver();
    if (driver == Driver.AUTO) {
      return wanted.role() == Role.POD ? Driver.PACKET : Driver.XDP;
    }
    String expected =
        switch (driver) {
          case XDP -> "";
          case PACKET -> wanted.role() == Role.POD ? "" : "xdp: packet is for pods' interfaces";
          default -> "xdp or packet: the daemon has no other yet";
        };
    if (!expected.isEmpty()) {
      throw new UsageException(
          "interfaces: %s has driver %s, expected %s"
              .formatted(wanted.name(), driver.name().toLowerCase(Locale.ROOT), expected));
    }
    return driver;
  }

  private static TakenPort port(int number, Link link) {
    if (link.mac().length != 6) {
      throw new UsageException(
          "interfaces: %s has no Ethernet address; only Ethernet interfaces can be taken"
              .formatted(link.name()));
    }
    return new TakenPort(number, link.name(), link.index(), MacAddress.of(link.mac()), link.mtu());
  }
}
