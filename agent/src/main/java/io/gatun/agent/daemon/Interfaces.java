package io.gatun.agent.daemon;

import io.gatun.agent.UsageException;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.agent.config.GatunConfiguration.Interface;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.RtnetlinkSource;
import io.gatun.control.kernel.TakenPort;
import io.gatun.ffm.netlink.XdpFeatures;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Which interfaces of the machine a configuration means, whenever it is asked; what it cannot have
 * is said once. For one thread.
 *
 * <p>Without a list they are discovered:
 *
 * <ul>
 *   <li><i>pod</i>: a veth whose other end is in another network namespace, and that has no address
 *       of a network (a CNI plugin's gateway address of full length does not count);
 *   <li><i>uplink</i>: hardware, or such a veth, with an address of a network.
 * </ul>
 *
 * Loopback, bridges, tunnels, and whatever else stands on other devices, is left to the kernel.
 */
final class Interfaces {
  private static final System.Logger LOG = System.getLogger("gatun.ports");
  private static final String LOOPBACK = "lo";

  private final List<Interface> listed;
  private final String hostInterface;
  private final IntPredicate withoutNativeXdp;
  private final Set<String> refused = new HashSet<>();

  /** Checks what the configuration alone can say wrong. */
  Interfaces(GatunConfiguration configuration) {
    this(configuration, Interfaces::isWithoutNativeXdp);
  }

  /** {@code withoutNativeXdp} answers for a device's number. */
  Interfaces(GatunConfiguration configuration, IntPredicate withoutNativeXdp) {
    listed = configuration.interfaces();
    hostInterface = configuration.kernel().hostInterface();
    this.withoutNativeXdp = withoutNativeXdp;
    listed.forEach(entry -> driver(entry, false));
  }

  /** False also where the kernel does not say. */
  private static boolean isWithoutNativeXdp(int ifIndex) {
    XdpFeatures features = XdpFeatures.of(ifIndex);
    return features != null && !features.isNative();
  }

  /**
   * An interface to take: what the tables need to know of it, and what it leads to.
   *
   * @param driver by which its frames are got, never {@link Driver#AUTO}
   * @param veth whether a local stack at the far end leaves checksums for others to complete
   */
  record Taken(TakenPort port, Role role, Driver driver, boolean veth) {
    Taken numbered(int number) {
      TakenPort p = port;
      return new Taken(
          new TakenPort(number, p.name(), p.ifIndex(), p.mac(), p.mtu()), role, driver, veth);
    }

    /** The same interface in the same role: its port can stay. */
    boolean isStill(Taken other) {
      return port.name().equals(other.port.name())
          && port.ifIndex() == other.port.ifIndex()
          && port.mac().equals(other.port.mac())
          && role == other.role
          && driver == other.driver;
    }
  }

  /**
   * What is there to be taken, in the order of the configuration, then by index; without numbers.
   */
  List<Taken> wanted(Collection<Link> links, Collection<Address> addresses) {
    List<Link> sorted = links.stream().sorted(Comparator.comparingInt(Link::ifIndex)).toList();
    Map<String, Taken> taken = new LinkedHashMap<>();
    for (Interface entry : listed) {
      for (Link link : sorted) {
        if (entry.matches(link.name()) && isTakeable(link, entry, master(link, sorted))) {
          taken.putIfAbsent(
              link.name(), taken(link, entry.role(), driver(entry, suitsPacket(link))));
        }
      }
    }
    for (Link link : listed.isEmpty() ? sorted : List.<Link>of()) {
      Role role = discovered(link, addresses);
      if (role != null) {
        taken.put(link.name(), taken(link, role, preferred(role, suitsPacket(link))));
      }
    }
    return List.copyOf(taken.values());
  }

  /** What is there now, numbered from 0; names that are not there yet are said. */
  List<Taken> present() {
    List<Link> links;
    List<Address> addresses;
    try (RtnetlinkSource kernel = new RtnetlinkSource()) {
      links = kernel.links();
      addresses = kernel.addresses();
    }
    for (String name : missing(links)) {
      LOG.log(Level.WARNING, "interfaces: {0} is not there; it is taken when it comes", name);
    }
    List<Taken> taken = new ArrayList<>();
    for (Taken one : wanted(links, addresses)) {
      taken.add(one.numbered(taken.size()));
    }
    if (taken.isEmpty()) {
      LOG.log(Level.WARNING, "interfaces: there is none to take yet");
    }
    return List.copyOf(taken);
  }

  /** Names in the list that are no interface now: they are taken when they come. */
  private List<String> missing(Collection<Link> links) {
    return listed.stream()
        .map(Interface::name)
        .filter(name -> name.matches("[^*?]+"))
        .filter(name -> links.stream().noneMatch(link -> link.name().equals(name)))
        .toList();
  }

  /** Whether an interface that comes later may be of {@code driver}. */
  boolean mayCome(Driver driver) {
    return listed.isEmpty()
        || listed.stream()
            .anyMatch(entry -> driver(entry, true) == driver || driver(entry, false) == driver);
  }

  /** Whether pods that come later may be of driver xdp, which {@code auto} does not choose. */
  boolean mayPodsComeByXdp() {
    return listed.stream()
        .anyMatch(entry -> entry.role() == Role.POD && driver(entry, true) == Driver.XDP);
  }

  private static Taken taken(Link link, Role role, Driver driver) {
    TakenPort port = new TakenPort(0, link.name(), link.ifIndex(), link.mac(), link.mtu());
    return new Taken(port, role, driver, isVeth(link));
  }

  private static boolean isVeth(Link link) {
    return link.kind().equals("veth");
  }

  /** The kind of what it is a member of, empty for nothing. */
  private static String master(Link link, List<Link> links) {
    return links.stream()
        .filter(other -> other.ifIndex() == link.master())
        .map(Link::kind)
        .findFirst()
        .orElse("");
  }

  /** Says why not, once, where somebody may have meant it. */
  private boolean isTakeable(Link link, Interface entry, String master) {
    if (link.name().equals(LOOPBACK) || link.name().startsWith(hostInterface)) {
      return false; // the host's pair is taken by itself
    }
    String why =
        switch (link.kind()) {
          case "bond", "team" ->
              "is a bond, which is not supported yet: its traffic stays the kernel's";
          case "vlan" ->
              "is a VLAN device: tagged frames stay the kernel's, and routes by it lead there";
          case "bridge" -> "is a bridge: list its ports instead (role pod)";
          case "vxlan", "geneve", "gre", "ipip", "sit", "wireguard" ->
              "is a tunnel: it stays the kernel's, and routes by it lead there";
          default ->
              master.equals("bond") || master.equals("team")
                  ? "is a member of a bond, which is not supported yet: its traffic stays the"
                      + " kernel's"
                  : link.isEthernet() ? "" : "has no Ethernet address";
        };
    // A name that is meant deserves an answer; what a glob happens to match, too, but once.
    if (!why.isEmpty() && refused.add(link.name() + " " + link.ifIndex())) {
      LOG.log(Level.WARNING, "interfaces: {0} ({1}) {2}", link.name(), entry.name(), why);
    }
    return why.isEmpty();
  }

  private @Nullable Role discovered(Link link, Collection<Address> addresses) {
    boolean veth = isVeth(link) && link.peerElsewhere();
    boolean candidate = link.kind().isEmpty() || veth;
    if (!candidate
        || !link.isEthernet()
        || link.name().equals(LOOPBACK)
        || link.name().equals(hostInterface)) {
      return null;
    }
    boolean network =
        addresses.stream()
            .anyMatch(a ->
                a.ifIndex() == link.ifIndex()
                    && !a.address().isLinkLocalAddress()
                    && a.prefixLength() < Prefix.of(a.address()).length());
    if (network) {
      return Role.UPLINK;
    }
    return veth ? Role.POD : null;
  }

  /**
   * A veth, a pod's or the way out of a node made of namespaces, carries whole segments as long as
   * no XDP program is on it; a NIC brings packets, and XDP pays where its driver does it.
   * docs/architecture.md has figures.
   */
  private static Driver preferred(Role role, boolean suitsPacket) {
    return role == Role.POD || suitsPacket ? Driver.PACKET : Driver.XDP;
  }

  private boolean suitsPacket(Link link) {
    return isVeth(link) || withoutNativeXdp.test(link.ifIndex());
  }

  private static Driver driver(Interface wanted, boolean suitsPacket) {
    Driver driver = wanted.driver();
    if (driver == Driver.AUTO) {
      return preferred(wanted.role(), suitsPacket);
    }
    String expected =
        driver == Driver.XDP || driver == Driver.PACKET
            ? ""
            : "xdp or packet: the daemon has no other yet";
    if (!expected.isEmpty()) {
      throw new UsageException(
          "interfaces: %s has driver %s, expected %s"
              .formatted(wanted.name(), driver.name().toLowerCase(Locale.ROOT), expected));
    }
    return driver;
  }
}
