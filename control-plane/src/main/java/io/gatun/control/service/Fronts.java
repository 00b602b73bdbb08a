package io.gatun.control.service;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.Pod;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.TrafficPolicy;
import io.gatun.service.Backends;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** From one Service and its slices, or from a pod, to their fronts. A pure function. */
public final class Fronts {
  private Fronts() {}

  /** Whether the Service is this proxy's at all: has a cluster IP and is nobody else's. */
  public static boolean takes(Service service, NodeView node) {
    // A label without a value is somebody's too, but not ours when we have no name.
    String owner = service.proxyName();
    boolean ours = node.proxyName().isEmpty() ? owner == null : node.proxyName().equals(owner);
    return !service.clusterIPs().isEmpty()
        && service.type() != Service.Type.EXTERNAL_NAME
        && !service.headlessLabel()
        && ours;
  }

  /** The fronts of {@code service}, each address and port once; none when it is not taken. */
  public static List<FrontSpec> of(Service service, List<EndpointSlice> slices, NodeView node) {
    List<FrontSpec> fronts = new ArrayList<>();
    if (takes(service, node)) {
      for (ServicePort port : service.ports()) {
        for (InetAddress clusterIP : service.clusterIPs()) { // one of each of its families
          new Builder(service, port, clusterIP, slices, node, fronts).add();
        }
      }
    }
    return List.copyOf(fronts);
  }

  /**
   * The host ports of a pod of this node; none of another's. What reaches them keeps its address.
   */
  public static List<FrontSpec> of(Pod pod, NodeView node) {
    List<FrontSpec> fronts = new ArrayList<>();
    if (!node.nodeName().equals(pod.nodeName()) || pod.hostNetwork() || pod.ended()) {
      return fronts;
    }
    for (Pod.HostPort port : pod.hostPorts()) {
      for (InetAddress address : hostAddresses(port.hostIP(), node)) {
        List<InetSocketAddress> endpoints =
            pod.addresses().stream()
                .filter(ip -> Addresses.isIpv6(ip) == Addresses.isIpv6(address))
                .map(ip -> new InetSocketAddress(ip, port.port()))
                .limit(1)
                .toList();
        if (!endpoints.isEmpty() && !address.isLoopbackAddress()) {
          fronts.add(
              new FrontSpec(
                  pod.name().toString(),
                  FrontKind.HOST_PORT,
                  address,
                  port.protocol(),
                  port.hostPort(),
                  endpoints,
                  false,
                  false));
        }
      }
    }
    return List.copyOf(fronts);
  }

  private static Collection<InetAddress> hostAddresses(@Nullable InetAddress only, NodeView node) {
    if (only != null && !only.isAnyLocalAddress()) {
      return List.of(only);
    }
    return node.ownAddresses().stream()
        .filter(own -> only == null || Addresses.isIpv6(own) == Addresses.isIpv6(only))
        .toList();
  }

  /**
   * "namespace/name:port", without the colon for a port without a name: as kube-proxy writes it.
   */
  static String name(Service service, ServicePort port) {
    return port.name().isEmpty() ? service.name().toString() : service.name() + ":" + port.name();
  }

  private static final class Builder {
    private final Service service;
    private final ServicePort port;
    private final InetAddress clusterIP;
    private final boolean ipv6;
    private final NodeView node;
    private final List<FrontSpec> fronts;
    private final Backends backends;
    private final FrontSpec.Affinity affinity;
    private final List<String> sourceRanges;

    Builder(
        Service service,
        ServicePort port,
        InetAddress clusterIP,
        List<EndpointSlice> slices,
        NodeView node,
        List<FrontSpec> fronts) {
      this.service = service;
      this.port = port;
      this.clusterIP = clusterIP;
      this.ipv6 = Addresses.isIpv6(clusterIP);
      this.node = node;
      this.fronts = fronts;
      backends = EndpointChoice.of(service, port, ipv6, slices, node);
      affinity =
          service.affinitySeconds() == 0
              ? FrontSpec.Affinity.NONE
              : new FrontSpec.Affinity(
                  service.affinitySeconds(), ipv6 ? service.affinityPrefixLength() : 128);
      sourceRanges =
          service.sourceRanges().stream()
              .filter(range -> Addresses.isIpv6(range.address()) == ipv6)
              .map(Prefix::toString)
              .toList();
    }

    void add() {
      front(FrontKind.CLUSTER_IP, clusterIP, port.port());
      if (node.externalIPs()) {
        for (InetAddress address : service.externalIPs()) {
          front(FrontKind.EXTERNAL_IP, address, port.port());
        }
      }
      boolean balanced = service.type() == Service.Type.LOAD_BALANCER;
      if (balanced) {
        for (InetAddress address : service.loadBalancerIPs()) {
          front(FrontKind.LOAD_BALANCER_IP, address, port.port());
        }
      }
      if (port.nodePort() != 0 && (balanced || service.type() == Service.Type.NODE_PORT)) {
        for (InetAddress address : node.nodePortAddresses()) {
          front(FrontKind.NODE_PORT, address, port.nodePort());
        }
      }
    }

    private void front(FrontKind kind, InetAddress address, int number) {
      if (Addresses.isIpv6(address) != ipv6 || bound(kind, address)) {
        return;
      }
      boolean internal = kind == FrontKind.CLUSTER_IP;
      TrafficPolicy policy = internal ? service.internalPolicy() : service.externalPolicy();
      boolean local = policy == TrafficPolicy.LOCAL;
      fronts.add(
          new FrontSpec(
              name(service, port),
              kind,
              address,
              port.protocol(),
              number,
              backends,
              local,
              masquerade(internal, local),
              kind == FrontKind.LOAD_BALANCER_IP ? ranges(address) : List.of(),
              affinity));
    }

    private FrontSpec.Masquerade masquerade(boolean internal, boolean local) {
      if (internal) {
        return node.masqueradeAll()
            ? FrontSpec.Masquerade.EVERYBODY
            : FrontSpec.Masquerade.STRANGERS;
      }
      return local ? FrontSpec.Masquerade.NOBODY : FrontSpec.Masquerade.EVERYBODY;
    }

    /**
     * Bound on an interface of the node, so the host's own stack serves it (NodeLocal DNSCache). An
     * external address may be the node's regular one: then it is a front like a node port.
     */
    private boolean bound(FrontKind kind, InetAddress address) {
      return switch (kind) {
        case CLUSTER_IP -> node.ownAddresses().contains(address);
        case EXTERNAL_IP, LOAD_BALANCER_IP ->
            node.ownAddresses().contains(address) && !node.nodeAddresses().contains(address);
        case NODE_PORT, HOST_PORT -> false;
      };
    }

    /** A node reaches the address by itself, and may then have it as its source. */
    private List<String> ranges(InetAddress address) {
      boolean coversNode =
          service.sourceRanges().stream()
              .filter(range -> Addresses.isIpv6(range.address()) == ipv6)
              .anyMatch(range -> node.nodeAddresses().stream().anyMatch(range::contains));
      if (sourceRanges.isEmpty() || !coversNode) {
        return sourceRanges;
      }
      List<String> admitted = new ArrayList<>(sourceRanges);
      admitted.add(Prefix.of(address).toString());
      return admitted;
    }
  }
}
