package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Profile;
import io.gatun.agent.config.GatunConfiguration.Vxlan;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.overlay.FlannelNodes;
import io.gatun.control.overlay.OverlayDevice;
import io.gatun.control.overlay.OverlaySource;
import io.gatun.control.overlay.RemoteNode;
import io.gatun.control.service.NodeSettings;
import io.gatun.ffm.netlink.VxlanDevice;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The overlay that the configuration asks for, where the kernel has none of its kind: its peers,
 * or, with profile flannel and no peers, the nodes that flannel annotates. Stepped by the control
 * thread.
 */
public final class Overlays {
  private static final System.Logger LOG = System.getLogger("gatun");

  /** First octet of Calico's VTEP addresses: locally administered. */
  private static final int CALICO = 0x66;

  private final GatunConfiguration configuration;
  private final Vxlan vxlan;
  private final NodeSettings node;
  private final KernelMirror mirror;
  private final OverlaySource source;
  private final FlannelNodes flannel = new FlannelNodes();
  private List<OverlayDevice> devices = List.of();
  private boolean said;

  /** Of no use without {@code overlay.vxlan} in the configuration. */
  public Overlays(
      GatunConfiguration configuration,
      NodeSettings node,
      KernelMirror mirror,
      OverlaySource source) {
    this.configuration = configuration;
    this.vxlan = Objects.requireNonNull(configuration.vxlan());
    this.node = node;
    this.mirror = mirror;
    this.source = source;
  }

  /** Makes the tunnels those of {@code objects}. */
  public void follow(ClusterObjects objects) {
    List<OverlayDevice> now = new ArrayList<>();
    for (boolean six : new boolean[] {false, true}) {
      List<RemoteNode> nodes = nodes(objects, six);
      InetAddress local = local(objects, six);
      if (local != null && (!six || !nodes.isEmpty()) && !isKernels(six)) {
        now.add(
            new OverlayDevice(
                six ? 1 : 0, name(six), vxlan.vni(), vxlan.port(), local, mac(), nodes));
      } else if (local == null && !nodes.isEmpty() && !said) {
        said = true;
        LOG.log(
            Level.WARNING,
            "overlay: this node has no {0} address in the underlay; set overlay.vxlan.local",
            six ? "IPv6" : "IPv4");
      }
    }
    if (!now.equals(devices)) {
      devices = List.copyOf(now);
      source.set(devices);
    }
  }

  private List<RemoteNode> nodes(ClusterObjects objects, boolean six) {
    if (vxlan.peers().isEmpty() && vxlan.profile() == Profile.FLANNEL) {
      return flannel.remotes(objects.nodes().values(), configuration.node(), vxlan.vni(), six);
    }
    List<RemoteNode> nodes = new ArrayList<>();
    for (GatunConfiguration.Peer peer : vxlan.peers()) {
      if (Addresses.isIpv6(peer.vtep()) == six) {
        nodes.add(new RemoteNode(List.of(peer.cidr()), peer.vtep(), peer.mac()));
      }
    }
    return nodes;
  }

  private @Nullable InetAddress local(ClusterObjects objects, boolean six) {
    InetAddress configured = vxlan.local();
    if (configured != null && Addresses.isIpv6(configured) == six) {
      return configured;
    }
    return node.primary(objects, mirror.localAddresses()).stream()
        .filter(address -> Addresses.isIpv6(address) == six)
        .findFirst()
        .orElse(null);
  }

  /** Whoever made a device of this kind in the kernel fills its tables, too. */
  private boolean isKernels(boolean six) {
    for (Link link : mirror.links()) {
      VxlanDevice device = link.vxlan();
      if (device != null
          && link.ifIndex() > 0
          && device.vni() == vxlan.vni()
          && device.port() == vxlan.port()
          && (device.local() == null || Addresses.isIpv6(device.local()) == six)) {
        if (!said) {
          said = true;
          LOG.log(
              Level.INFO,
              "overlay: the kernel has {0}; its tables count, not the configuration''s",
              link.name());
        }
        return true;
      }
    }
    return false;
  }

  private String name(boolean six) {
    return switch (vxlan.profile()) {
      case FLANNEL -> six ? "flannel-v6.1" : "flannel.1";
      case CALICO -> six ? "vxlan-v6.calico" : "vxlan.calico";
      case PLAIN -> six ? "vxlan6" : "vxlan";
    };
  }

  /** Made up as Felix does it, so that it is the same after a restart: 66 and SHA-1 of the name. */
  private MacAddress mac() {
    MacAddress configured = vxlan.mac();
    if (configured != null) {
      return configured;
    }
    try {
      byte[] name = configuration.node().getBytes(StandardCharsets.UTF_8);
      byte[] hash = MessageDigest.getInstance("SHA-1").digest(name);
      return MacAddress.of(new byte[] {CALICO, hash[0], hash[1], hash[2], hash[3], hash[4]});
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-1", e);
    }
  }
}
