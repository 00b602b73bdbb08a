package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.ffm.Libc;
import io.gatun.ffm.netlink.NetlinkSubscription;
import io.gatun.ffm.netlink.Route;
import io.gatun.ffm.netlink.Rtnetlink;
import io.gatun.packet.IpProtocol;
import io.gatun.port.NodeTraffic;
import io.gatun.port.PortSet;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import io.gatun.service.SourceAddresses;
import io.gatun.tunnel.Vtep;
import java.net.InetAddress;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.agrona.concurrent.Agent;

/**
 * Tells the uplinks' drivers what is the node's own: the addresses of the kernel's local table,
 * less the ports that fronts on them, masqueraded flows and tunnels use. Stepped by the control
 * thread.
 *
 * <p>An address that comes or goes is known at once; what was put into the table by hand, too where
 * the kernel's tables are followed, else within a second. It is not read more often than it
 * changes: a node of 250 pods has a thousand entries.
 */
final class LocalTable implements Agent {
  private static final long ANYWAY = TimeUnit.SECONDS.toNanos(1);
  private static final long ANYWAY_FOLLOWED = TimeUnit.SECONDS.toNanos(30);

  /** IANA numbers of the protocols with ports: TCP, UDP, SCTP. */
  private static final List<Integer> PROTOCOLS = List.of(6, 17, 132);

  private final Supplier<Collection<FrontSpec>> fronts;
  private final Supplier<List<Vtep>> vteps;
  private final LongSupplier version;
  private final long anyway;
  private final GatunConfiguration.PortRange snatPorts;
  private final NodeTraffic uplinks;
  private final SourceAddresses sources;
  private final Rtnetlink kernel = new Rtnetlink();
  private final NetlinkSubscription changes =
      new NetlinkSubscription(
          NetlinkSubscription.IPV4_ADDRESSES | NetlinkSubscription.IPV6_ADDRESSES);
  private Collection<FrontSpec> seen = List.of();
  private List<Vtep> seenVteps = List.of();
  private Set<InetAddress> addresses = Set.of();
  private PortSet claims = new PortSet();
  private boolean changed = true;
  private long seenVersion;
  private long read;

  /**
   * Nothing is read before the first {@link #doWork}.
   *
   * @param version another number whenever the table may have changed, as far as it is followed
   */
  LocalTable(
      Supplier<Collection<FrontSpec>> fronts,
      Supplier<List<Vtep>> vteps,
      LongSupplier version,
      GatunConfiguration configuration,
      NodeTraffic uplinks,
      SourceAddresses sources) {
    this.fronts = fronts;
    this.vteps = vteps;
    this.version = version;
    this.anyway = configuration.kernel().mirror() ? ANYWAY_FOLLOWED : ANYWAY;
    this.snatPorts = configuration.snatPorts();
    this.uplinks = uplinks;
    this.sources = sources;
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // a change of the fronts is a new collection
  public int doWork() {
    long now = Libc.monotonicNanos();
    changed |= !changes.read(_ -> changed = true) || version.getAsLong() != seenVersion;
    Collection<FrontSpec> wanted = fronts.get();
    boolean readAgain = changed || now - read > anyway;
    List<Vtep> ends = vteps.get();
    if (!readAgain && wanted == seen && ends == seenVteps) {
      return 0;
    }
    boolean moved = false;
    boolean claimed = false;
    if (readAgain) {
      seenVersion = version.getAsLong();
      Set<InetAddress> next = localAddresses();
      changed = false;
      read = now;
      moved = !next.equals(addresses);
      addresses = moved ? next : addresses; // the same set: who compares it has nothing to do
    }
    if (moved || wanted != seen || ends != seenVteps) {
      seen = wanted;
      seenVteps = ends;
      claimed = claim();
    }
    if (moved || claimed) {
      uplinks.own(addresses, claims);
    }
    if (moved) {
      sources.own(addresses);
    }
    return 1;
  }

  /** The addresses that the node answers at, as last read. */
  Set<InetAddress> addresses() {
    return addresses;
  }

  private Set<InetAddress> localAddresses() {
    Set<InetAddress> found = new HashSet<>();
    for (Route route : kernel.routes(Route.TABLE_LOCAL)) {
      boolean host = route.prefixLength() == 8 * route.destination().getAddress().length;
      boolean local =
          route.type() == Route.LOCAL
              || route.type() == Route.BROADCAST
              || route.type() == Route.ANYCAST;
      if (host && local && !route.destination().isLoopbackAddress()) {
        found.add(route.destination());
      }
    }
    return Set.copyOf(found);
  }

  private boolean claim() {
    PortSet now = new PortSet();
    for (int protocol : PROTOCOLS) {
      now.add(protocol, snatPorts.first(), snatPorts.last());
    }
    for (Vtep vtep : seenVteps) {
      now.add(IpProtocol.UDP, vtep.port());
    }
    for (FrontSpec front : seen) {
      // A cluster IP that the node has itself (a DNS cache's) is the host's, not a front.
      if (front.kind() != FrontKind.CLUSTER_IP && addresses.contains(front.address())) {
        now.add(front.protocol(), front.port());
      }
    }
    boolean differs = !now.equals(claims);
    claims = now;
    return differs;
  }

  @Override
  public String roleName() {
    return "local table";
  }

  @Override
  public void onClose() {
    changes.close();
    kernel.close();
  }
}
