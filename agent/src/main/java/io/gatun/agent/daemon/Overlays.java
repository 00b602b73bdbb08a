package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Profile;
import io.gatun.agent.config.GatunConfiguration.Vxlan;
import io.gatun.agent.host.KernelOverlay;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.Node;
import io.gatun.control.overlay.FlannelNodes;
import io.gatun.control.overlay.OverlayDevice;
import io.gatun.control.overlay.OverlaySource;
import io.gatun.control.overlay.RemoteNode;
import io.gatun.control.service.NodeSettings;
import io.gatun.ffm.netlink.VxlanDevice;
import io.gatun.tunnel.Tunnel;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The overlay that the configuration asks for, where nobody else has made one of its kind in the
 * kernel: its peers, or, with profile flannel and no peers, the nodes that flannel annotates; then
 * this node is published in the same way. Stepped by the control thread.
 *
 * <p>It is made in the kernel ({@link KernelOverlay}) where that can be; else it is one of this
 * process alone ({@link OverlaySource}) and ends with it.
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
  private final @Nullable KernelOverlay kernel;
  private final @Nullable Consumer<Map<String, String>> publisher;
  private final FlannelNodes flannel = new FlannelNodes();
  private List<OverlayDevice> own = List.of();
  private List<KernelOverlay.Device> kernels = List.of();
  private boolean refused;
  private boolean said;

  /**
   * Of no use without {@code overlay.vxlan} in the configuration.
   *
   * @param kernel null: nothing is set in the kernel
   * @param publisher takes annotations for the own Node, as often as it lacks them; null: nobody
   */
  public Overlays(
      GatunConfiguration configuration,
      NodeSettings node,
      KernelMirror mirror,
      OverlaySource source,
      @Nullable KernelOverlay kernel,
      @Nullable Consumer<Map<String, String>> publisher) {
    this.kernel = kernel;
    this.publisher = publisher;
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
    place(objects, now);
    publish(objects, now);
  }

  /** Into the kernel, or into this process. */
  private void place(ClusterObjects objects, List<OverlayDevice> devices) {
    List<KernelOverlay.Device> wanted = new ArrayList<>();
    List<OverlayDevice> rest = new ArrayList<>();
    for (OverlayDevice device : devices) {
      KernelOverlay.Device made = inKernel(objects, device);
      if (made == null) {
        rest.add(device);
      } else {
        wanted.add(made);
      }
    }
    if (kernel != null && !refused && !wanted.equals(kernels)) {
      kernels = wanted;
      if (!kernel.set(wanted)) {
        refused = true;
        LOG.log(Level.WARNING, "overlay: the kernel has no such device; it ends with this process");
        kernels = List.of();
        rest = devices;
      }
    }
    if (!rest.equals(own)) {
      own = List.copyOf(rest);
      source.set(own);
    }
  }

  /** As the kernel would have {@code device}; null where it cannot, or has another of its name. */
  private KernelOverlay.@Nullable Device inKernel(ClusterObjects objects, OverlayDevice device) {
    if (kernel == null || refused) {
      return null;
    }
    Link underlay = null;
    for (Address address : mirror.addresses()) {
      if (address.address().equals(device.local())) {
        underlay = link(address.ifIndex());
      }
    }
    boolean taken =
        mirror.links().stream()
            .anyMatch(link -> link.name().equals(device.name()) && !kernel.isOurs(link.name()));
    if (taken || underlay == null) {
      return null;
    }
    List<InetAddress> addresses = new ArrayList<>();
    Node self = self(objects);
    if (self != null) {
      for (Prefix pods : self.podCidrs()) {
        if (Addresses.isIpv6(pods.address()) == Addresses.isIpv6(device.local())) {
          addresses.add(pods.address()); // as flanneld does
        }
      }
    }
    int mtu = underlay.mtu() - Tunnel.overhead(device.local());
    return new KernelOverlay.Device(device, underlay.name(), mtu, addresses);
  }

  private @Nullable Link link(int ifIndex) {
    for (Link link : mirror.links()) {
      if (link.ifIndex() == ifIndex) {
        return link;
      }
    }
    return null;
  }

  private @Nullable Node self(ClusterObjects objects) {
    return objects.nodes().get(configuration.node());
  }

  private void publish(ClusterObjects objects, List<OverlayDevice> devices) {
    Node self = self(objects);
    if (publisher == null || self == null || devices.isEmpty() || !isFlannels()) {
      return;
    }
    Map<String, String> annotations = FlannelNodes.annotations(self, devices);
    if (FlannelNodes.lacks(self, annotations)) {
      publisher.accept(
          annotations.entrySet().stream()
              .collect(Collectors.toMap(e -> Node.FLANNEL + e.getKey(), Map.Entry::getValue)));
    }
  }

  private boolean isFlannels() {
    return vxlan.peers().isEmpty() && vxlan.profile() == Profile.FLANNEL;
  }

  private List<RemoteNode> nodes(ClusterObjects objects, boolean six) {
    if (isFlannels()) {
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
          && (kernel == null || !kernel.isOurs(link.name()))
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
