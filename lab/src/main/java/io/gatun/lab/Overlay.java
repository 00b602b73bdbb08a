package io.gatun.lab;

import java.io.IOException;
import java.util.List;

/**
 * VXLAN between the two nodes, as flanneld or Calico's Felix sets it up in the kernel: a device for
 * each family, and for the other node a permanent neighbour, an entry of the forwarding database
 * and an onlink route. Immutable.
 */
public enum Overlay {
  /** {@code flannel.1} over IPv4 and {@code flannel-v6.1} over IPv6. */
  FLANNEL("flannel.1", "flannel-v6.1", 1, 8472),

  /** {@code vxlan.calico} and {@code vxlan-v6.calico}. */
  CALICO("vxlan.calico", "vxlan-v6.calico", 4096, 4789);

  /** MTU of a device over IPv4, and of the pods. */
  public static final int MTU = 1450;

  /** Of a device over IPv6. */
  public static final int MTU6 = 1430;

  private final String device;
  private final String device6;
  private final int vni;
  private final int port;

  Overlay(String device, String device6, int vni, int port) {
    this.device = device;
    this.device6 = device6;
    this.vni = vni;
    this.port = port;
  }

  public String device() {
    return device;
  }

  public String device6() {
    return device6;
  }

  public int vni() {
    return vni;
  }

  /** UDP destination port. */
  public int port() {
    return port;
  }

  /** A node's VTEP in the overlay: the source of what it sends to pods itself. */
  public String vtep(TwoNodes topology, Node node) {
    return "10.244." + topology.side(node) + ".0";
  }

  public String vtep6(TwoNodes topology, Node node) {
    return "fd00:244:" + topology.side(node) + "::";
  }

  public String mac(TwoNodes topology, Node node) {
    return "0a:58:0a:f4:0" + topology.side(node) + ":00";
  }

  public String mac6(TwoNodes topology, Node node) {
    return "0a:58:0a:f6:0" + topology.side(node) + ":00";
  }

  /** Makes the devices and leads the pods of the other node through them. */
  void build(TwoNodes topology) throws IOException {
    Batch batch = new Batch();
    for (Node node : topology.nodes()) {
      String common = " type vxlan id " + vni + " dev eth0 dstport " + port + " nolearning";
      batch.ip(
          node,
          "link add %s mtu %d address %s %s local %s noudpcsum"
              .formatted(device, MTU, mac(topology, node), common, topology.address(node)));
      batch.ip(
          node,
          "link add %s mtu %d address %s %s local %s"
              .formatted(device6, MTU6, mac6(topology, node), common, topology.address6(node)));
      batch.ip(node, "address add " + vtep(topology, node) + "/32 dev " + device);
      batch.ip(node, "address add " + vtep6(topology, node) + "/128 dev " + device6);
      batch.ip(node, "link set " + device + " up");
      batch.ip(node, "link set " + device6 + " up");
    }
    for (Pod pod : topology.pods()) {
      batch.ip(pod.host(), "link set " + pod.device() + " mtu " + MTU);
      batch.ip(pod.node(), "link set eth0 mtu " + MTU);
    }
    batch.run();
    for (Node node : topology.nodes()) {
      meet(topology, node, topology.other(node));
    }
    lead(topology);
  }

  /** {@code node} gets to know {@code other}: what flanneld does when a node joins. */
  public void meet(TwoNodes topology, Node node, Node other) throws IOException {
    place(node, device, mac(topology, other), topology.address(other));
    place(node, device6, mac6(topology, other), topology.address6(other));
    Batch batch = new Batch();
    String permanent = " nud permanent";
    batch.ip(
        node,
        "neigh replace %s lladdr %s dev %s"
                .formatted(vtep(topology, other), mac(topology, other), device)
            + permanent);
    batch.ip(
        node,
        "neigh replace %s lladdr %s dev %s"
                .formatted(vtep6(topology, other), mac6(topology, other), device6)
            + permanent);
    batch.run();
  }

  /** Where {@code device} finds a MAC address. */
  public static void place(Node node, String device, String mac, String remote) throws IOException {
    List<String> words =
        List.of("bridge", "fdb", "replace", mac, "dev", device, "dst", remote, "self", "permanent");
    node.command(words.toArray(String[]::new)).run().orThrow();
  }

  /** Each node's routes to the other's pods lead through the tunnel. */
  public void lead(TwoNodes topology) throws IOException {
    Batch batch = new Batch();
    for (Node node : topology.nodes()) {
      Node other = topology.other(node);
      batch.ip(
          node,
          "route replace %s via %s dev %s onlink"
              .formatted(topology.subnet(other), vtep(topology, other), device));
      // IPv6 takes a gateway that another device leads to for a mistake: so the old route goes
      // first.
      batch.ip(node, "route del " + topology.subnet6(other));
      batch.ip(
          node,
          "route add %s via %s dev %s onlink"
              .formatted(topology.subnet6(other), vtep6(topology, other), device6));
    }
    batch.run();
  }

  /** The routes lead from node to node as they are: what CrossSubnet does on one link. */
  public static void leadDirectly(TwoNodes topology) throws IOException {
    Batch batch = new Batch();
    for (Node node : topology.nodes()) {
      Node other = topology.other(node);
      batch.ip(node, "route replace " + topology.subnet(other) + " via " + topology.address(other));
      batch.ip(
          node, "route replace " + topology.subnet6(other) + " via " + topology.address6(other));
    }
    batch.run();
  }
}
