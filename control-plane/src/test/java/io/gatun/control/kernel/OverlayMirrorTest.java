package io.gatun.control.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.ffm.netlink.VxlanDevice;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import io.gatun.tunnel.Tunnel;
import io.gatun.tunnel.TunnelTable;
import io.gatun.tunnel.Vtep;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** VXLAN devices in the kernel's tables, as flanneld and Felix fill them, become tunnels. */
class OverlayMirrorTest {
  private static final int UPLINK = 11;
  private static final int FLANNEL = 20;
  private static final MacAddress OURS = mac("02:00:00:00:00:01");
  private static final MacAddress ROUTER = mac("02:00:00:00:00:09");
  private static final MacAddress VTEP = mac("0a:58:0a:f4:00:00");
  private static final Adjacency HOST = new Adjacency.Host(9, 1, 2);
  private static final List<TakenPort> PORTS = List.of(new TakenPort(1, "up0", UPLINK, OURS, 1500));

  private final Fib fib = new Fib(4096, Runnable::run);
  private final TunnelTable tunnels = new TunnelTable(2048, Runnable::run);
  private final FakeKernel kernel = new FakeKernel();
  private long now;

  @BeforeEach
  void tables() {
    kernel.set(new Link(UPLINK, "up0", OURS, 1500, true, true, "", 0, 0, false, null));
    device(1450, true);
    kernel.set(new Address(UPLINK, ip("192.168.0.11"), 24));
    kernel.set(new Address(FLANNEL, ip("10.0.0.0"), 32));
    kernel.set(new Address(FLANNEL, ip("fe80::1"), 64));
    kernel.set(route("192.168.0.0/24", UPLINK, null));
  }

  @AfterEach
  void close() {
    fib.close();
    tunnels.close();
  }

  private void device(int mtu, boolean plain) {
    VxlanDevice vxlan = new VxlanDevice(1, ip("192.168.0.11"), UPLINK, 8472, false, false, plain);
    kernel.set(new Link(FLANNEL, "flannel.1", VTEP, mtu, true, true, "vxlan", 0, 0, false, vxlan));
  }

  private KernelMirror mirror() {
    return new KernelMirror(kernel, fib, tunnels, HOST, PORTS, List.of(), List.of(), Runnable::run);
  }

  private static InetAddress ip(String literal) {
    return Objects.requireNonNull(Addresses.parse(literal));
  }

  private static MacAddress mac(String text) {
    return Objects.requireNonNull(MacAddress.parse(text));
  }

  private static Route route(String to, int ifIndex, @Nullable String via) {
    Way way = new Way(ifIndex, via == null ? null : ip(via), 1);
    Prefix prefix = Objects.requireNonNull(Prefix.parse(to));
    return Route.of(prefix, RouteType.UNICAST, List.of(way), 0);
  }

  /** Node n: 10.n/256.n%256.0/24 behind 192.168.n/256.n%256, as flanneld does it. */
  private static String subnet(int n) {
    return "10." + (n >>> 8) + "." + (n & 0xFF) + ".0";
  }

  private static MacAddress vtepMac(int n) {
    return new MacAddress(0x0A_58_00_00_00_00L | n);
  }

  private Forwarding place(MacAddress mac, String remote) {
    return new Forwarding(FLANNEL, mac, 0, 0, ip(remote), 0, 0, false);
  }

  private void join(int n, String remote) {
    kernel.set(new Neighbour(FLANNEL, ip(subnet(n)), vtepMac(n), "permanent"));
    kernel.set(place(vtepMac(n), remote));
    kernel.set(route(subnet(n) + "/24", FLANNEL, subnet(n)));
  }

  private void known(String address, MacAddress mac) {
    kernel.set(new Neighbour(UPLINK, ip(address), mac, "reachable"));
  }

  private void step(KernelMirror mirror) {
    now += 1_000_000_000L;
    for (int i = 0; i < 4; i++) {
      mirror.doWork(now);
    }
  }

  private @Nullable Adjacency to(String address) {
    int number = fib.lookup(ip(address));
    return number == 0 ? null : fib.adjacencies().get(number);
  }

  private Adjacency.Tunnel tunnelTo(String address) {
    return assertInstanceOf(Adjacency.Tunnel.class, to(address));
  }

  private Tunnel outer(String address) {
    return Objects.requireNonNull(tunnels.get(tunnelTo(address).tunnel()));
  }

  private static Tunnel tunnel(String remote, MacAddress nextHop) {
    return new Tunnel(
        1, ip("192.168.0.11"), ip(remote), 8472, 1, OURS.bits(), nextHop.bits(), 0, false, 1450);
  }

  @Test
  void shouldLeadThroughATunnelAsTheTablesSay() {
    known("192.168.0.12", ROUTER);
    join(300, "192.168.0.12");
    try (KernelMirror mirror = mirror()) {
      step(mirror);
      Adjacency.Tunnel way = tunnelTo("10.1.44.7");
      assertEquals(VTEP.bits(), way.sourceMac());
      assertEquals(vtepMac(300).bits(), way.destinationMac());
      assertEquals(1450, way.mtu());
      assertEquals(tunnel("192.168.0.12", ROUTER), tunnels.get(way.tunnel()));
      assertEquals(List.of(new Vtep(ip("192.168.0.11"), 8472, 1, VTEP.bits())), mirror.vteps());
      TunnelView view = mirror.tunnels().getFirst();
      assertEquals("flannel.1", view.dev());
      assertEquals("up0", view.out());
      assertEquals(1450, view.mtu());
      RouteView route = Objects.requireNonNull(mirror.route(ip("10.1.44.7")));
      assertEquals(view, route.ways().getFirst().tunnel());
    }
  }

  @Test
  void shouldNotPromiseMoreThanTheUnderlayCarries() {
    device(1500, true);
    known("192.168.0.12", ROUTER);
    join(1, "192.168.0.12");
    try (KernelMirror mirror = mirror()) {
      step(mirror);
      assertEquals(1450, tunnelTo("10.0.1.1").mtu());
      device(1400, true);
      step(mirror);
      assertEquals(1400, tunnelTo("10.0.1.1").mtu());
      kernel.set(new Link(UPLINK, "up0", OURS, 1300, true, true, "", 0, 0, false, null));
      step(mirror);
      assertEquals(1250, tunnelTo("10.0.1.1").mtu());
    }
  }

  @Test
  void shouldFollowTheUnderlay() {
    kernel.set(route("172.16.0.0/16", UPLINK, "192.168.0.1"));
    join(1, "172.16.5.5");
    try (KernelMirror mirror = mirror()) {
      step(mirror);
      assertInstanceOf(Adjacency.Unresolved.class, to("10.0.1.1"));
      assertTrue(kernel.asked.contains(UPLINK + " 192.168.0.1"), kernel.asked::toString);
      known("192.168.0.1", ROUTER);
      step(mirror);
      Adjacency before = tunnelTo("10.0.1.1");
      assertEquals(tunnel("172.16.5.5", ROUTER), outer("10.0.1.1"));
      known("192.168.0.1", mac("02:00:00:00:00:0a"));
      step(mirror);
      assertEquals(tunnel("172.16.5.5", mac("02:00:00:00:00:0a")), outer("10.0.1.1"));
      known("192.168.0.2", ROUTER);
      kernel.set(route("172.16.5.0/24", UPLINK, "192.168.0.2"));
      step(mirror);
      assertEquals(tunnel("172.16.5.5", ROUTER), outer("10.0.1.1"));
      assertEquals(before, tunnelTo("10.0.1.1"), "routes are not touched");
      kernel.remove(route("172.16.5.0/24", UPLINK, "192.168.0.2"));
      kernel.remove(route("172.16.0.0/16", UPLINK, "192.168.0.1"));
      step(mirror);
      assertEquals(HOST, to("10.0.1.1"), "the kernel may know a way that is not ours");
    }
  }

  @Test
  void shouldFollowANodeThatChangesAndForgetOneThatLeaves() {
    known("192.168.0.12", ROUTER);
    known("192.168.0.13", ROUTER);
    join(1, "192.168.0.12");
    join(2, "192.168.0.13");
    try (KernelMirror mirror = mirror()) {
      step(mirror);
      Adjacency other = tunnelTo("10.0.2.1");
      // It comes back with another MAC address.
      kernel.set(place(mac("0a:00:00:00:00:99"), "192.168.0.12"));
      kernel.set(new Neighbour(FLANNEL, ip("10.0.1.0"), mac("0a:00:00:00:00:99"), "permanent"));
      kernel.remove(place(vtepMac(1), "192.168.0.12"));
      step(mirror);
      assertEquals(mac("0a:00:00:00:00:99").bits(), tunnelTo("10.0.1.1").destinationMac());
      // Its address changes: the kernel tells of the new place only.
      known("192.168.0.14", ROUTER);
      kernel.set(place(mac("0a:00:00:00:00:99"), "192.168.0.14"));
      step(mirror);
      assertEquals(ip("192.168.0.14"), outer("10.0.1.1").remote());
      assertEquals(2, mirror.tunnels().size());
      // It leaves.
      int number = tunnelTo("10.0.1.1").tunnel();
      kernel.remove(route("10.0.1.0/24", FLANNEL, "10.0.1.0"));
      step(mirror);
      assertNull(to("10.0.1.1"));
      assertNull(tunnels.get(number));
      assertEquals(1, mirror.tunnels().size());
      assertEquals(other, tunnelTo("10.0.2.1"));
    }
  }

  @Test
  void shouldLeaveToTheKernelWhatOnlyItsDeviceCanDo() {
    known("192.168.0.12", ROUTER);
    join(1, "192.168.0.12");
    kernel.remove(place(vtepMac(1), "192.168.0.12"));
    try (KernelMirror mirror = mirror()) {
      step(mirror);
      assertEquals(HOST, to("10.0.1.1"), "it may flood");
      kernel.set(place(vtepMac(1), "192.168.0.12"));
      step(mirror);
      tunnelTo("10.0.1.1");
      device(1450, false);
      step(mirror);
      assertEquals(HOST, to("10.0.1.1"), "another program says where its frames go");
      assertEquals(List.of(), mirror.vteps());
    }
  }

  @Test
  void shouldChangeBetweenTunnelAndDirectRoute() {
    known("192.168.0.12", ROUTER);
    join(1, "192.168.0.12");
    try (KernelMirror mirror = mirror()) {
      step(mirror);
      tunnelTo("10.0.1.1");
      kernel.set(route("10.0.1.0/24", UPLINK, "192.168.0.12"));
      step(mirror);
      assertEquals(new Adjacency.Forward(1, OURS.bits(), ROUTER.bits(), 1500), to("10.0.1.1"));
      assertEquals(List.of(), mirror.tunnels());
      kernel.set(route("10.0.1.0/24", FLANNEL, "10.0.1.0"));
      step(mirror);
      assertEquals(tunnel("192.168.0.12", ROUTER), outer("10.0.1.1"));
    }
  }

  @Test
  void shouldHaveATunnelForEachOfAThousandNodes() {
    int nodes = 1000;
    kernel.set(route("192.168.0.0/16", UPLINK, null));
    for (int n = 1; n <= nodes; n++) {
      String remote = "192.168." + (100 + (n >>> 8)) + "." + (n & 0xFF);
      known(remote, ROUTER);
      join(n, remote);
    }
    try (KernelMirror mirror = mirror()) {
      step(mirror);
      Set<Integer> numbers = new HashSet<>();
      for (int n = 1; n <= nodes; n++) {
        String pod = subnet(n).replaceAll("0$", "5");
        numbers.add(tunnelTo(pod).tunnel());
        assertEquals(
            "192.168." + (100 + (n >>> 8)) + "." + (n & 0xFF),
            outer(pod).remote().getHostAddress());
      }
      assertEquals(nodes, numbers.size());
      for (int n = 1; n <= nodes; n++) {
        kernel.remove(route(subnet(n) + "/24", FLANNEL, subnet(n)));
      }
      step(mirror);
      assertEquals(List.of(), mirror.tunnels());
      numbers.forEach(number -> assertNull(tunnels.get(number)));
    }
  }
}
