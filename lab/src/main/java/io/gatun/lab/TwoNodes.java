package io.gatun.lab;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Two Kubernetes nodes, three pods on each, and a client outside, on one wire; one thread builds
 * it, afterwards it is immutable.
 *
 * <pre>
 *   client-a 10.244.0.10 ─ cali… ┐                                  ┌ cali… ─ client-b 10.244.1.10
 *   web-1    10.244.0.11 ─ cali… ┤ node-a              node-b       ├ cali… ─ web-2    10.244.1.11
 *   dns      10.244.0.12 ─ cali… ┘ 192.168.0.11  192.168.0.12       └ cali… ─ stream   10.244.1.12
 *                                     eth0 ── wire (bridge) ── eth0
 *                                                 │
 *                                              outside 192.168.0.100
 * </pre>
 *
 * <p>Pods are tied in as Calico does it: their address a /32, the default route via 169.254.1.1,
 * the host end's MAC {@code ee:ee:ee:ee:ee:ee}, proxy ARP, a /32 route in the node; and with their
 * checksum and segmentation offloads on, as real pods have them. The kernel answers proxy ARP only
 * while it forwards; since it must not forward here ({@code ip_forward} 0), the node has
 * 169.254.1.1 on its loopback too, and answers for itself. In IPv6 the gateway is the host end's
 * link-local address. Plain routes lead from node to node. Who is where the nodes know by permanent
 * neighbour entries.
 */
public final class TwoNodes implements AutoCloseable {

  public static final String TOPOLOGY = "two-nodes";
  public static final String POD_NETWORK = "10.244.0.0/16";
  public static final String POD_NETWORK6 = "fd00:244::/32";
  public static final String GATEWAY = "169.254.1.1";

  /** Calico's MAC for every host end, and the link-local address the kernel makes of it. */
  public static final String HOST_MAC = "ee:ee:ee:ee:ee:ee";

  private static final String GATEWAY6 = "fe80::ecee:eeff:feee:eeee";

  private static final List<String> NAMES =
      List.of(
          "wire",
          "node-a",
          "node-b",
          "outside", //
          "client-a",
          "web-1",
          "dns",
          "client-b",
          "web-2",
          "stream");
  private static final int FIRST_POD = 4;
  private static final int PODS_PER_NODE = 3;

  private final Lab lab;
  private final List<Pod> pods;

  private TwoNodes(Lab lab) {
    this.lab = lab;
    List<Pod> all = new ArrayList<>();
    for (int i = 0; i < 2 * PODS_PER_NODE; i++) {
      int side = i / PODS_PER_NODE;
      int host = 10 + i % PODS_PER_NODE;
      String name = NAMES.get(FIRST_POD + i);
      all.add(
          new Pod(
              lab.node(name),
              lab.node(side == 0 ? "node-a" : "node-b"),
              "cali" + name,
              InetAddress.ofLiteral("10.244." + side + "." + host),
              InetAddress.ofLiteral("fd00:244:" + side + "::" + host),
              "02:00:0a:f4:0" + side + ":" + host));
    }
    this.pods = List.copyOf(all);
  }

  /** The same with VXLAN between the nodes, and pods whose MTU leaves room for it. */
  public static TwoNodes up(Path runDirectory, String name, Overlay overlay) throws IOException {
    TwoNodes topology = up(runDirectory, name);
    try {
      overlay.build(topology);
      return topology;
    } catch (IOException | RuntimeException e) {
      topology.close();
      throw e;
    }
  }

  /** Builds it, in about a third of a second. */
  public static TwoNodes up(Path runDirectory, String name) throws IOException {
    Lab lab = Lab.up(runDirectory, name, TOPOLOGY, NAMES);
    try {
      var topology = new TwoNodes(lab);
      topology.build();
      return topology;
    } catch (IOException | RuntimeException e) {
      lab.down();
      throw e;
    }
  }

  /** The same view of a lab that is up already. */
  public static TwoNodes of(Lab lab) {
    return new TwoNodes(lab);
  }

  public Lab lab() {
    return lab;
  }

  public Node nodeA() {
    return lab.node("node-a");
  }

  public Node nodeB() {
    return lab.node("node-b");
  }

  /** Both nodes, A first. */
  public List<Node> nodes() {
    return List.of(nodeA(), nodeB());
  }

  /** The other one of the two. */
  public Node other(Node node) {
    return node.equals(nodeA()) ? nodeB() : nodeA();
  }

  /** 0 for node A, 1 for B: the third part of its pods' addresses. */
  int side(Node node) {
    return node.equals(nodeA()) ? 0 : 1;
  }

  /** A node's pods. */
  public String subnet(Node node) {
    return "10.244." + side(node) + ".0/24";
  }

  public String subnet6(Node node) {
    return side(node) == 0 ? "fd00:244::/48" : "fd00:244:1::/48";
  }

  /** The client that is no part of the cluster. */
  public Node outside() {
    return lab.node("outside");
  }

  public List<Pod> pods() {
    return pods;
  }

  public Pod pod(String name) {
    return pods.stream().filter(pod -> pod.name().equals(name)).findFirst().orElseThrow();
  }

  /** A node's own address on the wire. */
  public String address(Node node) {
    return "192.168.0." + onWire(node);
  }

  public String address6(Node node) {
    return "fd00:168::" + onWire(node);
  }

  @Override
  public void close() throws IOException {
    lab.down();
  }

  private void build() throws IOException {
    var batch = new Batch();
    for (Node node : lab.nodes()) {
      // Without duplicate address detection an address is usable at once; DAD would take a second.
      for (String scope : List.of("all", "default")) {
        batch.sysctl(node, "net.ipv6.conf." + scope + ".accept_dad=0");
        batch.sysctl(node, "net.ipv6.conf." + scope + ".accept_ra=0");
        batch.sysctl(node, "net.ipv4.conf." + scope + ".rp_filter=0");
      }
    }
    for (Node node : nodes()) {
      batch.sysctl(node, "net.ipv4.ip_forward=0");
      batch.sysctl(node, "net.ipv6.conf.all.forwarding=0");
      batch.sysctl(node, "net.ipv4.conf.default.proxy_arp=1");
    }
    batch.run();
    wire(batch);
    pods.forEach(pod -> tie(batch, pod));
    batch.run();
    routes(batch);
    batch.run();
  }

  private void wire(Batch batch) {
    Node wire = lab.node("wire");
    batch.ip(wire, "link add br0 type bridge");
    batch.ip(wire, "link set br0 up");
    for (Node node : List.of(nodeA(), nodeB(), outside())) {
      String port = "to-" + node.name();
      batch.ip(wire, veth(port, node, wireMac(node)));
      batch.ip(wire, "link set " + port + " master br0 up");
      batch.ip(node, "address add " + address(node) + "/24 dev eth0");
      batch.ip(node, "address add " + address6(node) + "/64 dev eth0");
      batch.ip(node, "link set eth0 up");
    }
  }

  private static void tie(Batch batch, Pod pod) {
    batch.ip(pod.host(), veth(pod.device(), pod.node(), pod.mac()));
    batch.ip(pod.host(), "link set " + pod.device() + " address " + HOST_MAC + " up");
    batch.ip(pod.node(), "address add " + pod.address() + "/32 dev eth0");
    batch.ip(pod.node(), "address add " + pod.address6() + "/128 dev eth0");
    batch.ip(pod.node(), "link set eth0 up");
    batch.ip(pod.node(), "route add default via " + GATEWAY + " dev eth0 onlink");
    batch.ip(pod.node(), "route add default via " + GATEWAY6 + " dev eth0");
  }

  private void routes(Batch batch) {
    List<Node> stations = List.of(nodeA(), nodeB(), outside());
    for (Node node : nodes()) {
      // Scope host: never chosen as a source address.
      batch.ip(node, "address add " + GATEWAY + "/32 dev lo scope host");
      for (Node other : stations) {
        if (!other.equals(node)) {
          neighbour(batch, node, address(other), wireMac(other), "eth0");
          neighbour(batch, node, address6(other), wireMac(other), "eth0");
        }
      }
    }
    for (Pod pod : pods) {
      batch.ip(
          pod.host(), "route add " + pod.address() + "/32 dev " + pod.device() + " scope link");
      batch.ip(pod.host(), "route add " + pod.address6() + "/128 dev " + pod.device());
      neighbour(batch, pod.host(), pod.address(), pod.mac(), pod.device());
      neighbour(batch, pod.host(), pod.address6(), pod.mac(), pod.device());
    }
    for (Node node : nodes()) {
      batch.ip(node, "route add " + subnet(other(node)) + " via " + address(other(node)));
      batch.ip(node, "route add " + subnet6(other(node)) + " via " + address6(other(node)));
    }
  }

  private static void neighbour(Batch batch, Node node, String address, String mac, String device) {
    batch.ip(
        node, "neigh replace " + address + " lladdr " + mac + " dev " + device + " nud permanent");
  }

  /** One queue each way: AF_XDP takes one socket a queue. The peer is born in its own namespace. */
  private static String veth(String name, Node peer, String peerMac) {
    return "link add "
        + name
        + " mtu 1500 numrxqueues 1 numtxqueues 1 type veth peer name eth0 mtu 1500 address "
        + peerMac
        + " numrxqueues 1 numtxqueues 1 netns "
        + peer.namespace();
  }

  private int onWire(Node node) {
    return switch (node.name()) {
      case "node-a" -> 11;
      case "node-b" -> 12;
      case "outside" -> 100;
      default -> throw new IllegalArgumentException(node.name() + " is not on the wire");
    };
  }

  private String wireMac(Node node) {
    return "02:00:c0:a8:00:" + (onWire(node) == 100 ? "64" : Integer.toString(onWire(node)));
  }
}
