package io.gatun.service;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * One front of one Service port, as the control plane wants it. Immutable.
 *
 * @param service "namespace/name:port"
 * @param kind what sort of address it is
 * @param address the destination address
 * @param protocol the IANA number: 6 TCP, 17 UDP, 132 SCTP
 * @param port the destination port, 1 to 65535
 * @param endpoints the usable endpoints, of the address's family; may be empty
 * @param dropWhenEmpty without endpoints: drop silently (policy Local) rather than reject
 * @param masquerade replace the client's address, so that replies come back through this node
 */
public record FrontSpec(
    String service,
    FrontKind kind,
    InetAddress address,
    int protocol,
    int port,
    List<InetSocketAddress> endpoints,
    boolean dropWhenEmpty,
    boolean masquerade) {

  public FrontSpec {
    endpoints = List.copyOf(endpoints);
  }

  public FrontKey key() {
    return new FrontKey(address, protocol, port);
  }
}
