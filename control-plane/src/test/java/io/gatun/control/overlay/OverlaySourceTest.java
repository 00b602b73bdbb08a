package io.gatun.control.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.kernel.KernelSource;
import io.gatun.control.kernel.StaticNeighbour;
import io.gatun.control.kernel.StaticRoute;
import io.gatun.control.kernel.TakenPort;
import io.gatun.control.model.Node;
import io.gatun.control.model.ObjectName;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.tunnel.Tunnel;
import io.gatun.tunnel.TunnelTable;
import io.gatun.tunnel.Vtep;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Overlays from the configuration and from Nodes become tunnels without a kernel's device. */
class OverlaySourceTest {
  private static final MacAddress OURS = mac("02:00:00:00:00:01");
  private static final MacAddress VTEP = mac("0a:58:0a:f4:00:00");

  private final Fib fib = new Fib(4096, Runnable::run);
  private final TunnelTable tunnels = new TunnelTable(2048, Runnable::run);
  private final OverlaySource source = new OverlaySource(KernelSource.NONE);
  private final KernelMirror mirror =
      new KernelMirror(
          source,
          fib,
          tunnels,
          new Adjacency.Host(9, 1, 2),
          List.of(new TakenPort(1, "eth0", 0, OURS, 1500)),
          List.of(new StaticRoute(prefix("192.168.0.0/16"), null, "eth0")),
          List.of(
              new StaticNeighbour(ip("192.168.0.12"), mac("02:00:00:00:00:12"), "eth0"),
              new StaticNeighbour(ip("192.168.0.13"), mac("02:00:00:00:00:13"), "eth0")));

  @AfterEach
  void close() {
    mirror.close();
    fib.close();
    tunnels.close();
  }

  private static InetAddress ip(String literal) {
    return Objects.requireNonNull(Addresses.parse(literal));
  }

  private static MacAddress mac(String text) {
    return Objects.requireNonNull(MacAddress.parse(text));
  }

  private static Prefix prefix(String text) {
    return Objects.requireNonNull(Prefix.parse(text));
  }

  private static RemoteNode node(String pods, String address, String mac) {
    return new RemoteNode(List.of(prefix(pods)), ip(address), mac(mac));
  }

  private void set(RemoteNode... nodes) {
    source.set(
        List.of(
            new OverlayDevice(0, "flannel.1", 1, 8472, ip("192.168.0.11"), VTEP, List.of(nodes))));
    mirror.doWork(0);
    mirror.doWork(0);
  }

  private @Nullable Tunnel tunnelTo(String pod) {
    int number = fib.lookup(ip(pod));
    return fib.adjacencies().get(number) instanceof Adjacency.Tunnel tunnel
        ? tunnels.get(tunnel.tunnel())
        : null;
  }

  @Test
  void shouldLeadToTheNodesItIsToldOf() {
    mirror.doWork(0);
    set(
        node("10.244.1.0/24", "192.168.0.12", "0a:58:0a:f4:01:00"),
        node("10.244.2.0/24", "192.168.0.13", "0a:58:0a:f4:02:00"));
    assertEquals(
        new Tunnel(
            1,
            ip("192.168.0.11"),
            ip("192.168.0.12"),
            8472,
            1,
            OURS.bits(),
            mac("02:00:00:00:00:12").bits(),
            0,
            false,
            1450),
        tunnelTo("10.244.1.5"));
    assertEquals(List.of(new Vtep(ip("192.168.0.11"), 8472, 1, VTEP.bits())), mirror.vteps());
    Tunnel second = Objects.requireNonNull(tunnelTo("10.244.2.5"));
    // The first one's pods move to the other node, and the second leaves.
    set(node("10.244.1.0/24", "192.168.0.13", "0a:58:0a:f4:02:00"));
    assertEquals(second, tunnelTo("10.244.1.5"));
    assertNull(tunnelTo("10.244.2.5"));
    set();
    assertNull(tunnelTo("10.244.1.5"));
  }

  @Test
  void shouldLeadToAThousandNodesAndCostOnlyWhatChanges() {
    mirror.doWork(0);
    List<RemoteNode> nodes = new ArrayList<>();
    for (int n = 0; n < 1000; n++) {
      nodes.add(
          new RemoteNode(
              List.of(prefix("10." + (100 + (n >>> 8)) + "." + (n & 0xFF) + ".0/24")),
              ip("192.168.0." + (12 + n % 2)),
              new MacAddress(0x0A_58_00_00_00_00L + n)));
    }
    set(nodes.toArray(RemoteNode[]::new));
    assertEquals(2, mirror.tunnels().stream().map(view -> view.number()).distinct().count());
    assertEquals(1000, mirror.tunnels().size());
    nodes.remove(500);
    set(nodes.toArray(RemoteNode[]::new));
    assertEquals(999, mirror.tunnels().size());
  }

  /** What we publish another node reads as it was meant, and nothing is published twice. */
  @Test
  void shouldPublishWhatItReads() {
    List<Prefix> pods = List.of(prefix("10.244.0.0/24"), prefix("fd00:244::/64"));
    List<OverlayDevice> devices =
        List.of(
            new OverlayDevice(0, "flannel.1", 1, 8472, ip("192.168.0.11"), VTEP, List.of()),
            new OverlayDevice(1, "flannel-v6.1", 1, 8472, ip("fd00:168::11"), VTEP, List.of()));
    Node bare = node("node-a", pods, Map.of());
    Map<String, String> published = FlannelNodes.annotations(bare, devices);
    assertTrue(FlannelNodes.lacks(bare, published));
    Node whole = node("node-a", pods, published);
    assertFalse(FlannelNodes.lacks(whole, published));
    FlannelNodes reader = new FlannelNodes();
    assertEquals(
        List.of(new RemoteNode(List.of(pods.get(0)), ip("192.168.0.11"), VTEP)),
        reader.remotes(List.of(whole), "node-b", 1, false));
    assertEquals(
        List.of(new RemoteNode(List.of(pods.get(1)), ip("fd00:168::11"), VTEP)),
        reader.remotes(List.of(whole), "node-b", 1, true));
    Node elsewhere = node("node-a", pods, Map.of("public-ip-overwrite", "203.0.113.1"));
    assertEquals("203.0.113.1", FlannelNodes.annotations(elsewhere, devices).get("public-ip"));
    Node direct = node("node-a", pods, Map.of("backend-type", "host-gw"));
    assertFalse(FlannelNodes.lacks(direct, published), "flanneld is there, and of another mind");
  }

  private static Node node(String name, List<Prefix> pods, Map<String, String> flannel) {
    return new Node(new ObjectName("", name), null, List.of(), pods, false, flannel);
  }

  @Test
  void shouldReadWhatFlannelPublishes() {
    Map<String, String> right =
        Map.of(
            "backend-type", "vxlan",
            "backend-data", "{\"VNI\":1,\"VtepMAC\":\"0a:58:0a:f4:01:00\"}",
            "public-ip", "192.168.0.12",
            "backend-v6-data", "{\"VNI\":1,\"VtepMAC\":\"0a:58:0a:f4:01:66\"}",
            "public-ipv6", "fd00:168::12");
    List<Node> nodes = new ArrayList<>();
    nodes.add(node("node-a", right));
    nodes.add(node("node-b", right));
    for (String[] wrong :
        new String[][] {
          {"backend-type", "host-gw"},
          {"backend-data", "{\"VNI\":2,\"VtepMAC\":\"0a:58:0a:f4:01:00\"}"},
          {"backend-data", "{\"VNI\":1}"},
          {"backend-data", "{"},
          {"public-ip", "192.168.0.1222"},
          {"public-ip", "fd00::1"}
        }) {
      Map<String, String> flannel = new java.util.HashMap<>(right);
      flannel.put(wrong[0], wrong[1]);
      nodes.add(node("wrong", flannel));
    }
    FlannelNodes flannel = new FlannelNodes();
    assertEquals(
        List.of(node("10.244.1.0/24", "192.168.0.12", "0a:58:0a:f4:01:00")),
        flannel.remotes(nodes, "node-a", 1, false));
    assertEquals(
        node("fd00:244:1::/64", "fd00:168::12", "0a:58:0a:f4:01:66"),
        flannel.remotes(nodes.subList(0, 2), "node-a", 1, true).getFirst());
    assertTrue(flannel.remotes(nodes, "node-a", 7, false).isEmpty());
    assertInstanceOf(Node.class, nodes.getFirst());
  }

  private static Node node(String name, Map<String, String> flannel) {
    return node(name, List.of(prefix("10.244.1.0/24"), prefix("fd00:244:1::/64")), flannel);
  }
}
