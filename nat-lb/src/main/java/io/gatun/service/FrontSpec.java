package io.gatun.service;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * One front of one Service port, as the control plane wants it. Immutable.
 *
 * @param service "namespace/name:port"; of a host port "namespace/name" of its pod
 * @param kind what sort of address it is
 * @param address the destination address
 * @param protocol the IANA number: 6 TCP, 17 UDP, 132 SCTP
 * @param port the destination port, 1 to 65535
 * @param backends the endpoints, of the address's family
 * @param policyLocal use {@link Backends#local}; false: {@link Backends#cluster}
 * @param masquerade whose address is replaced, so that replies come back through this node
 * @param sourceRanges who may use it, in CIDR notation; empty: everybody
 * @param affinity how long a client keeps its endpoint
 */
public record FrontSpec(
    String service,
    FrontKind kind,
    InetAddress address,
    int protocol,
    int port,
    Backends backends,
    boolean policyLocal,
    Masquerade masquerade,
    List<String> sourceRanges,
    Affinity affinity) {

  /** Whose address is replaced. A client that meets itself is masqueraded in any case. */
  public enum Masquerade {
    NOBODY,
    /** Those that {@link ClientRules} do not take for local to the cluster. */
    STRANGERS,
    EVERYBODY
  }

  /**
   * Session affinity by client address.
   *
   * @param seconds from the last new connection; 0 for none
   * @param ipv6PrefixLength clients that agree in so many bits are one, 1 to 128
   */
  public record Affinity(int seconds, int ipv6PrefixLength) {
    public static final Affinity NONE = new Affinity(0, 128);
  }

  public FrontSpec {
    sourceRanges = List.copyOf(sourceRanges);
  }

  /** A front whose endpoints are the same under both policies. */
  public FrontSpec(
      String service,
      FrontKind kind,
      InetAddress address,
      int protocol,
      int port,
      List<InetSocketAddress> endpoints,
      boolean policyLocal,
      boolean masquerade) {
    this(
        service,
        kind,
        address,
        protocol,
        port,
        Backends.of(EndpointSet.of(endpoints)),
        policyLocal,
        masquerade ? Masquerade.EVERYBODY : Masquerade.NOBODY,
        List.of(),
        Affinity.NONE);
  }

  public FrontKey key() {
    return new FrontKey(address, protocol, port);
  }

  /** What its policy leaves. */
  public List<InetSocketAddress> endpoints() {
    return (policyLocal ? backends.local() : backends.cluster()).endpoints();
  }
}
