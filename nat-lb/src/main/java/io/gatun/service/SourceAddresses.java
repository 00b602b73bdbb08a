package io.gatun.service;

import io.gatun.flow.AddressWords;
import java.net.InetAddress;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * What masqueraded flows come from. Set by the control thread, read by all workers once a vector.
 *
 * <p>Towards pods and the outside that is the node's address, which its own sockets have too: so
 * ports come from a range that they do not use. Towards the node itself it is the far end of the
 * host's pair, which nobody else has.
 */
public final class SourceAddresses {
  /** Above the kernel's ephemeral range. */
  public static final int FIRST_PORT = 61_000;

  public static final int LAST_PORT = 65_535;

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
   */
  record Sources(
      Source node, Source pair, int hostPort, AddressList own, int firstPort, int ports) {

    /** Whether packets to this address end at the node itself, and a pair leads there. */
    boolean leadsToHost(boolean ipv6, long high, long low) {
      return pair.has(ipv6) && own.contains(ipv6, high, low);
    }
  }

  private volatile Sources current =
      new Sources(
          Source.NONE,
          Source.NONE,
          NONE,
          AddressList.EMPTY,
          FIRST_PORT,
          LAST_PORT - FIRST_PORT + 1);

  /** Null for a family that cannot be masqueraded: such flows are dropped, SNAT_PORTS_EXHAUSTED. */
  public void set(@Nullable InetAddress ipv4, @Nullable InetAddress ipv6) {
    Sources s = current;
    current = new Sources(Source.of(ipv4, ipv6), s.pair, s.hostPort, s.own, s.firstPort, s.ports);
  }

  /** Both ends included. */
  public void ports(int first, int last) {
    if (first < 1 || last > 65_535 || first > last) {
      throw new IllegalArgumentException(
          "snatPorts is %d-%d, expected two ports in ascending order".formatted(first, last));
    }
    Sources s = current;
    current = new Sources(s.node, s.pair, s.hostPort, s.own, first, last - first + 1);
  }

  /**
   * The node's own packets come by port {@code number}; flows to the node itself come from the
   * pair's far end.
   */
  public void host(int number, InetAddress pair4, InetAddress pair6) {
    Sources s = current;
    current = new Sources(s.node, Source.of(pair4, pair6), number, s.own, s.firstPort, s.ports);
  }

  /** Every address that the node itself answers at. */
  public void own(Collection<InetAddress> addresses) {
    Sources s = current;
    current =
        new Sources(s.node, s.pair, s.hostPort, new AddressList(addresses), s.firstPort, s.ports);
  }

  Sources current() {
    return current;
  }
}
