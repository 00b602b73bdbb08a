package io.gatun.control.model;

import io.gatun.control.document.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Node. Immutable.
 *
 * @param zone label {@code topology.kubernetes.io/zone}
 * @param internalIPs {@code status.addresses} of type InternalIP
 * @param podCidrs {@code spec.podCIDRs}, else {@code spec.podCIDR}
 * @param leaving it is being deleted, or about to be by the cluster autoscaler
 * @param flannel annotations {@code flannel.alpha.coreos.com/…}, by the part after the slash
 */
public record Node(
    ObjectName name,
    @Nullable String zone,
    List<InetAddress> internalIPs,
    List<Prefix> podCidrs,
    boolean leaving,
    Map<String, String> flannel)
    implements KubernetesObject {
  /** What flannel's annotations begin with. */
  public static final String FLANNEL = "flannel.alpha.coreos.com/";

  @Override
  public String kind() {
    return "Node";
  }
}
