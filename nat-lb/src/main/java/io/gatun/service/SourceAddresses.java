package io.gatun.service;

import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * What masqueraded flows come from. Set by the control thread, read by all workers once a vector.
 *
 * <p>Towards the outside that is the node's address on the way there, which its own sockets have
 * too: ports come from a range that they do not use and that the uplinks' stub claims. Towards this
 * node's pods it is the same address, but their replies come by ports that are ours alone: so only
 * those ports are left out that the host's sockets are given. Towards the node itself it is the far
 * end of the host's pair, which nobody else has: all ports.
 */
public final class SourceAddresses {
  /** Above the kernel's ephemeral range. */
  public static final int FIRST_PORT = 61_000;

  public static final int LAST_PORT = 65_535;

  /** What the kernel gives to sockets that ask for any port (ip_local_port_range's default). */
  private static final int FIRST_EPHEMERAL = 32_768;

  private static final int LAST_EPHEMERAL = 60_999;

  private static final int NONE = -1;

  /** An address of each family, or not. */
  record Source(boolean ipv4, boolean ipv6, long low4, long high6, long low6) {
    static final Source NONE = new Source(false, false, 0, 0, 0);

    static Source of(@Nullable InetAddress ipv4, @Nullable InetAddress ipv6) {
      return new Source(
          ipv4 != null,
          ipv6 != null,
          ipv4 == null ? 0 : AddressWords.low(ipv4),
          ipv6 == null ? 0 : AddressWords.high(ipv6),
          ipv6 == null ? 0 : AddressWords.low(ipv6));
    }

    boolean has(boolean family6) {
      return family6 ? ipv6 : ipv4;
    }
  }

  /**
   * One consistent set.
   *
   * @param pair the far end of the host's pair
   * @param hostPort the port that the node's own packets come by
   * @param own every address that the node itself answers at
   * @param outside ports towards whatever is not on this node
   * @param inside ports towards its pods
   * @param pods where these are
   */
  record Sources(
      Source node,
      Source pair,
      int hostPort,
      AddressList own,
      SourcePorts outside,
      SourcePorts inside,
      Prefixes pods) {

    /** Those that a flow to this address may come from. */
    SourcePorts ports(boolean ipv6, long high, long low) {
      if (leadsToHost(ipv6, high, low)) {
        return SourcePorts.ALL;
      }
      return pods.contain(ipv6, high, low) ? inside : outside;
    }

    /** Whether packets to this address end at the node itself, and a pair leads there. */
    boolean leadsToHost(boolean ipv6, long high, long low) {
      return pair.has(ipv6) && own.contains(ipv6, high, low);
    }
  }

  private volatile @Nullable SourceRoutes routes;

  private volatile Sources current =
      new Sources(
          Source.NONE,
          Source.NONE,
          NONE,
          AddressList.EMPTY,
          SourcePorts.of(FIRST_PORT, LAST_PORT),
          SourcePorts.without(FIRST_EPHEMERAL, LAST_EPHEMERAL),
          Prefixes.NONE);

  /** Of the destination whose ports are scarcest, since somebody asked. */
  private volatile int usedPercent;

  /** Null for a family that cannot be masqueraded: such flows are dropped, NO_SOURCE_ADDRESS. */
  public void set(@Nullable InetAddress ipv4, @Nullable InetAddress ipv6) {
    Sources s = current;
    Source node = Source.of(ipv4, ipv6);
    current = new Sources(node, s.pair, s.hostPort, s.own, s.outside, s.inside, s.pods);
  }

  /** Towards the outside; both ends included. */
  public void ports(int first, int last) {
    if (first < 1 || last > 65_535 || first > last) {
      throw new IllegalArgumentException(
          "snatPorts is %d-%d, expected two ports in ascending order".formatted(first, last));
    }
    Sources s = current;
    SourcePorts outside = SourcePorts.of(first, last);
    current = new Sources(s.node, s.pair, s.hostPort, s.own, outside, s.inside, s.pods);
  }

  /** What the host's own sockets are given, both ends included: left out towards its pods. */
  public void ephemeral(int first, int last) {
    Sources s = current;
    SourcePorts inside = SourcePorts.without(first, last);
    current = new Sources(s.node, s.pair, s.hostPort, s.own, s.outside, inside, s.pods);
  }

  /** Where this node's pods are: prefixes of both families. */
  public void pods(Collection<String> prefixes) {
    Sources s = current;
    Prefixes pods = Prefixes.of(prefixes);
    current = new Sources(s.node, s.pair, s.hostPort, s.own, s.outside, s.inside, pods);
  }

  /**
   * The node's own packets come by port {@code number}; flows to the node itself come from the
   * pair's far end.
   */
  public void host(int number, InetAddress pair4, InetAddress pair6) {
    Sources s = current;
    Source pair = Source.of(pair4, pair6);
    current = new Sources(s.node, pair, number, s.own, s.outside, s.inside, s.pods);
  }

  /** Every address that the node itself answers at. */
  public void own(Collection<InetAddress> addresses) {
    Sources s = current;
    AddressList own = new AddressList(addresses);
    current = new Sources(s.node, s.pair, s.hostPort, own, s.outside, s.inside, s.pods);
  }

  /** Where flows go decides which of the node's addresses they come from. */
  public void routes(SourceRoutes byDestination) {
    routes = byDestination;
  }

  /** What a flow to this address, which is not the node's own, comes from. */
  Source towards(boolean ipv6, long high, long low) {
    SourceRoutes known = routes;
    if (known != null) {
      Source found = known.find(ipv6, high, low);
      if (found.has(ipv6)) {
        return found;
      }
    }
    return current.node;
  }

  Sources current() {
    return current;
  }

  /** Workers: a destination was just given a port, and so much of its ports are in use now. */
  void used(int percent) {
    if (percent > usedPercent) {
      usedPercent = percent;
    }
  }

  /**
   * How much of the ports towards one destination is in use, in percent: the most of all that were
   * given one since the last call.
   */
  public int takeUsedPercent() {
    int percent = usedPercent;
    usedPercent = 0;
    return Math.min(100, percent);
  }
}
