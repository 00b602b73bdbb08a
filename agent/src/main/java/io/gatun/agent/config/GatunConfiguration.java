package io.gatun.agent.config;

import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.StaticNeighbour;
import io.gatun.control.kernel.StaticRoute;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that can be configured (docs: the configuration page). Immutable.
 *
 * @param node this node's name
 * @param serviceProxyName take the Services with this label {@code service-proxy-name}; empty:
 *     those without
 * @param nodeAddresses the first of each family is primary; empty: the kernel's
 * @param interfaces the ports to take; empty: discovered
 * @param vxlan the overlay, null for none
 * @param clampMss whether TCP connections through tunnels are told what fits when they open
 * @param podNetworks where pods live, all of the cluster's; empty: the Nodes' podCIDRs
 */
public record GatunConfiguration(
    String node,
    String serviceProxyName,
    List<InetAddress> nodeAddresses,
    List<Prefix> serviceCidrs,
    List<Interface> interfaces,
    Workers workers,
    Kernel kernel,
    List<StaticRoute> routes,
    List<StaticNeighbour> neighbours,
    @Nullable Vxlan vxlan,
    boolean clampMss,
    Flows conntrack,
    List<Prefix> podNetworks,
    Masquerade egressMasquerade,
    PortRange snatPorts,
    OnFailure onFailure,
    KubeProxyConfiguration proxy) {

  /** What an interface leads to. */
  public enum Role {
    UPLINK,
    POD
  }

  /** How frames are got; AUTO: what measured best for the role. */
  public enum Driver {
    AUTO,
    XDP,
    PACKET,
    DPDK,
    PCAP,
    MEMORY
  }

  /** How XDP is attached; AUTO is the best that binds. */
  public enum Mode {
    AUTO,
    ZERO_COPY,
    COPY,
    SKB
  }

  /** Which source addresses a pod's interface is believed; AUTO: as its rp_filter says. */
  public enum ReversePath {
    AUTO,
    STRICT,
    LOOSE,
    NONE
  }

  /**
   * Interfaces to take.
   *
   * @param name a name or a glob
   * @param reversePath of pods' interfaces; others are not checked
   * @param queues 0 for as many as the device has
   * @param devargs for dpdk, else null
   * @param read for pcap: the file that frames come from, else null
   * @param write for pcap: the file that frames go to, else null
   */
  public record Interface(
      String name,
      Role role,
      Driver driver,
      ReversePath reversePath,
      Mode mode,
      int queues,
      @Nullable String devargs,
      @Nullable Path read,
      @Nullable Path write) {

    /**
     * Whether {@code interfaceName} is meant: {@code *} stands for any text, {@code ?} for a
     * letter.
     */
    public boolean matches(String interfaceName) {
      return glob(name, 0, interfaceName, 0);
    }

    private static boolean glob(String pattern, int p, String text, int t) {
      if (p == pattern.length()) {
        return t == text.length();
      }
      if (pattern.charAt(p) == '*') {
        return glob(pattern, p + 1, text, t)
            || (t < text.length() && glob(pattern, p, text, t + 1));
      }
      return t < text.length()
          && (pattern.charAt(p) == '?' || pattern.charAt(p) == text.charAt(t))
          && glob(pattern, p + 1, text, t + 1);
    }
  }

  /** What a worker without work does: spin, or sleep in poll(2) after a while. */
  public enum Idle {
    BUSY,
    ADAPTIVE
  }

  /**
   * The worker threads.
   *
   * @param cpus one for each worker; empty: not pinned
   * @param coalesce whether small packets of a stream are joined on their way to a packet port
   */
  public record Workers(int count, List<Integer> cpus, Idle idle, boolean coalesce) {}

  /**
   * What is taken from the kernel.
   *
   * @param mirror links, addresses, routes and neighbours
   * @param hostInterface the host's side of the pair through which it reaches Services
   */
  public record Kernel(boolean mirror, String hostInterface) {}

  /** Which VXLAN dialect. */
  public enum Profile {
    FLANNEL,
    CALICO,
    PLAIN
  }

  /**
   * The overlay.
   *
   * @param local the underlay address, null: the node's primary one
   * @param mac the VTEP's own, null: made up
   */
  public record Vxlan(
      int vni,
      int port,
      @Nullable InetAddress local,
      @Nullable MacAddress mac,
      Profile profile,
      List<Peer> peers) {}

  /**
   * A node at the overlay's other end.
   *
   * @param mac its VTEP's
   */
  public record Peer(Prefix cidr, InetAddress vtep, MacAddress mac) {}

  /** The flow table. */
  public record Flows(int maxFlows, Path stateDir) {}

  /** Whether pods reach the outside by the node's address; AUTO: as the kernel's rules do it. */
  public enum Masquerade {
    TRUE,
    FALSE,
    AUTO
  }

  /** Ports from first to last, both included. */
  public record PortRange(int first, int last) {}

  /**
   * After a death.
   *
   * @param hold frames wait so long for a successor, then the kernel forwards
   * @param handover the same after SIGTERM
   */
  public record OnFailure(Duration hold, Duration handover) {}
}
