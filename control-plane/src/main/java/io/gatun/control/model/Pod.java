package io.gatun.control.model;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Pod, for the sake of its host ports. Immutable.
 *
 * @param nodeName where it runs, null while it is not scheduled
 * @param hostNetwork it has the node's own addresses, so its host ports need nobody's help
 * @param ended its containers will not run again
 * @param labels for whoever selects pods
 * @param addresses {@code status.podIPs}, else {@code status.podIP}
 */
public record Pod(
    ObjectName name,
    @Nullable String nodeName,
    boolean hostNetwork,
    boolean ended,
    Map<String, String> labels,
    List<InetAddress> addresses,
    List<HostPort> hostPorts)
    implements KubernetesObject {

  /**
   * A container's port that the node answers too.
   *
   * @param hostIP the node's address that does; 0.0.0.0 or ::, all of that family; null, all
   * @param protocol the IANA number
   */
  public record HostPort(@Nullable InetAddress hostIP, int protocol, int hostPort, int port) {}

  @Override
  public String kind() {
    return "Pod";
  }
}
