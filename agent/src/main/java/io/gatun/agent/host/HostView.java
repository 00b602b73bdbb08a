package io.gatun.agent.host;

import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;

/**
 * What rules and routes depend on beside the fronts. Immutable.
 *
 * @param primary the addresses that the host's traffic to Services comes from, one a family at most
 * @param own every address that the node answers at
 * @param services where Service addresses are
 * @param pods what is reached by this node's pod ports
 */
public record HostView(
    List<InetAddress> primary, Set<InetAddress> own, List<Prefix> services, List<Prefix> pods) {
  /** The primary addresses that the node does not have (yet). */
  List<InetAddress> missing() {
    return primary.stream().filter(address -> !own.contains(address)).toList();
  }
}
