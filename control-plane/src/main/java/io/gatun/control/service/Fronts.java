package io.gatun.control.service;

import io.gatun.control.document.Addresses;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.TrafficPolicy;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/** From one Service and its slices to its fronts. A pure function. */
public final class Fronts {
  private Fronts() {}

  /** Whether the Service is this proxy's at all: has a cluster IP and is nobody else's. */
  public static boolean takes(Service service, NodeView node) {
    String owner = service.proxyName() == null ? "" : service.proxyName();
    return !service.clusterIPs().isEmpty()
        && service.type() != Service.Type.EXTERNAL_NAME
        && !service.headlessLabel()
        && owner.equals(node.proxyName());
  }

  /** The fronts of {@code service}, each address and port once; none when it is not taken. */
  public static List<FrontSpec> of(Service service, List<EndpointSlice> slices, NodeView node) {
    List<FrontSpec> fronts = new ArrayList<>();
    if (takes(service, node)) {
      for (ServicePort port : service.ports()) {
        for (boolean ipv6 : new boolean[] {false, true}) {
          EndpointChoice choice = EndpointChoice.of(port, ipv6, slices, node);
          new Builder(service, port, ipv6, choice, node, fronts).add();
        }
      }
    }
    return List.copyOf(fronts);
  }

  /**
   * "namespace/name:port", without the colon for a port without a name: as kube-proxy writes it.
   */
  static String name(Service service, ServicePort port) {
    return port.name().isEmpty() ? service.name().toString() : service.name() + ":" + port.name();
  }

  private record Builder(
      Service service,
      ServicePort port,
      boolean ipv6,
      EndpointChoice choice,
      NodeView node,
      List<FrontSpec> fronts) {

    void add() {
      for (InetAddress address : service.clusterIPs()) {
        front(FrontKind.CLUSTER_IP, address, port.port());
      }
      for (InetAddress address : service.externalIPs()) {
        front(FrontKind.EXTERNAL_IP, address, port.port());
      }
      // A front cannot tell sources apart yet: rather no load balancer address than an open one.
      if (service.type() == Service.Type.LOAD_BALANCER && service.sourceRanges().isEmpty()) {
        for (InetAddress address : service.loadBalancerIPs()) {
          front(FrontKind.LOAD_BALANCER_IP, address, port.port());
        }
      }
      boolean nodePorts =
          service.type() == Service.Type.NODE_PORT || service.type() == Service.Type.LOAD_BALANCER;
      if (nodePorts && port.nodePort() != 0 && hasFamily()) {
        for (InetAddress address : node.nodePortAddresses()) {
          front(FrontKind.NODE_PORT, address, port.nodePort());
        }
      }
    }

    /** A Service of one family has no node port in the other: there are no endpoints to find. */
    private boolean hasFamily() {
      return service.clusterIPs().stream().anyMatch(ip -> Addresses.isIpv6(ip) == ipv6);
    }

    private void front(FrontKind kind, InetAddress address, int number) {
      if (Addresses.isIpv6(address) != ipv6) {
        return;
      }
      boolean internal = kind == FrontKind.CLUSTER_IP;
      TrafficPolicy policy = internal ? service.internalPolicy() : service.externalPolicy();
      boolean local = policy == TrafficPolicy.LOCAL;
      List<InetSocketAddress> endpoints = local ? choice.local() : choice.cluster();
      fronts.add(
          new FrontSpec(
              name(service, port),
              kind,
              address,
              port.protocol(),
              number,
              endpoints,
              local && !choice.cluster().isEmpty(),
              internal ? node.masqueradeAll() : !local));
    }
  }
}
