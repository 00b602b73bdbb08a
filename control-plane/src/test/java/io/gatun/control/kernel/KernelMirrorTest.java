package io.gatun.control.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Member;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.NextHop;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.ffm.Errno;
import io.gatun.ffm.NativeException;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class KernelMirrorTest {
  private static final MacAddress OURS = mac("02:00:00:00:00:01");
  private static final MacAddress THEIRS = mac("02:00:00:00:00:02");
  private static final Adjacency HOST = new Adjacency.Host(9, 1, 2);
  private static final List<TakenPort> PORTS =
      List.of(new TakenPort(1, "up0", 11, OURS, 1500), new TakenPort(2, "pod0", 12, OURS, 1400));

  private final Fib fib = new Fib(1024, Runnable::run);
  private final FakeKernel kernel = new FakeKernel();
  private long now;

  @BeforeEach
  void links() {
    link(11, "up0", 1500, true);
    link(12, "pod0", 1400, true);
    link(3, "other", 1500, true);
  }

  @AfterEach
  void close() {
    fib.close();
  }

  private void link(int ifIndex, String name, int mtu, boolean up) {
    kernel.set(new Link(ifIndex, name, OURS, mtu, up, up, "", 0, 0, false, null));
  }

  /** Steps the mirror {@code millis} later, until it has nothing more to do. */
  private int step(KernelMirror mirror, long millis) {
    now += TimeUnit.MILLISECONDS.toNanos(millis);
    int changes = mirror.doWork(now);
    return changes + mirror.doWork(now); // what was read again, if it was
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

  private static Route route(String to, int ifIndex, @Nullable String via) {
    Way way = new Way(ifIndex, via == null ? null : ip(via), 1);
    return Route.of(prefix(to), RouteType.UNICAST, List.of(way), 0);
  }

  private KernelMirror mirror(List<StaticRoute> routes, List<StaticNeighbour> neighbours) {
    return new KernelMirror(kernel, fib, null, HOST, PORTS, routes, neighbours, Runnable::run);
  }

  private @Nullable Adjacency to(String address) {
    int number = fib.lookup(ip(address));
    return number == 0 ? null : fib.adjacencies().get(number);
  }

  private static Adjacency forward(int port, MacAddress mac, int mtu) {
    return new Adjacency.Forward(port, OURS.bits(), mac.bits(), mtu);
  }

  private static Adjacency unresolved(int port, int mtu) {
    return new Adjacency.Unresolved(port, OURS.bits(), mtu);
  }

  @Test
  void shouldMirrorEveryKindOfRoute() {
    link(11, "up0", 1450, true);
    kernel.set(new Address(11, ip("192.0.2.1"), 24));
    kernel.set(Route.local(ip("192.0.2.1")));
    kernel.set(route("192.0.2.0/24", 11, null)); // connected
    kernel.set(route("10.1.0.2/32", 12, null)); // a pod
    kernel.set(route("10.2.0.0/24", 11, "192.0.2.9")); // another node's pods
    kernel.set(route("0.0.0.0/0", 3, "203.0.113.1")); // by an interface that is not ours
    kernel.set(Route.of(prefix("10.3.0.0/24"), RouteType.BLACKHOLE, List.of(), 0));
    kernel.set(Route.of(prefix("10.4.0.0/24"), RouteType.UNREACHABLE, List.of(), 0));
    kernel.set(route("fe80::/64", 11, null));
    kernel.set(route("fd00::2/128", 12, null));
    kernel.set(new Neighbour(11, ip("192.0.2.9"), THEIRS, "reachable"));
    kernel.set(new Neighbour(11, ip("192.0.2.10"), null, "reachable"));
    kernel.set(new Neighbour(12, ip("fd00::2"), THEIRS, "stale"));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      assertTrue(mirror.doWork(0) > 0);
      assertEquals(HOST, to("192.0.2.1"));
      assertEquals(forward(1, THEIRS, 1450), to("192.0.2.9"));
      assertEquals(unresolved(1, 1450), to("192.0.2.10"));
      assertEquals(unresolved(2, 1400), to("10.1.0.2"));
      assertEquals(forward(1, THEIRS, 1450), to("10.2.0.7"));
      assertEquals(new Adjacency.Blackhole(), to("10.3.0.1"));
      assertEquals(new Adjacency.Unreachable(), to("10.4.0.1"));
      assertEquals(HOST, to("8.8.8.8"));
      assertEquals(forward(2, THEIRS, 1400), to("fd00::2"));
      assertNull(to("fe80::1"));
      assertEquals(List.of(ip("192.0.2.1")), mirror.localAddresses());
      assertEquals(0, step(mirror, 2000));
    }
  }

  @Test
  void shouldFollowChangesAndForgetWhatIsGone() {
    kernel.set(route("10.1.0.2/32", 12, null));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      kernel.set(new Neighbour(12, ip("10.1.0.2"), THEIRS, "reachable"));
      assertEquals(1, step(mirror, 1));
      assertEquals(forward(2, THEIRS, 1400), to("10.1.0.2"));
      kernel.remove(route("10.1.0.2/32", 12, null));
      assertEquals(1, step(mirror, 1));
      assertNull(to("10.1.0.2"));
      assertEquals(0, fib.size());
    }
  }

  @Test
  void shouldTellOfLocalAddressesFirstAndWhenTheyChange() {
    List<List<InetAddress>> told = new ArrayList<>();
    kernel.set(new Address(11, ip("192.0.2.1"), 24));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.onLocalAddresses(told::add);
      mirror.doWork(0);
      kernel.set(route("10.1.0.2/32", 12, null));
      step(mirror, 1);
      kernel.set(new Address(11, ip("192.0.2.3"), 24));
      step(mirror, 1);
    }
    assertEquals(
        List.of(List.of(ip("192.0.2.1")), List.of(ip("192.0.2.1"), ip("192.0.2.3"))), told);
  }

  @Test
  void shouldPreferTheLowerMetricAndLinksThatAreUp() {
    link(11, "up0", 1500, false);
    Way down = new Way(11, ip("192.0.2.9"), 1);
    Way up = new Way(12, ip("192.0.2.8"), 1);
    kernel.set(Route.of(prefix("10.0.0.0/8"), RouteType.UNICAST, List.of(up), 200));
    kernel.set(Route.of(prefix("10.0.0.0/8"), RouteType.UNICAST, List.of(down), 100));
    kernel.set(Route.of(prefix("11.0.0.0/8"), RouteType.BLACKHOLE, List.of(), 1));
    kernel.set(Route.of(prefix("11.0.0.0/8"), RouteType.UNICAST, List.of(up), 2));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      assertEquals(unresolved(2, 1400), to("10.0.0.1"));
      assertEquals(new Adjacency.Blackhole(), to("11.0.0.1"));
    }
  }

  @Test
  void shouldMakeAGroupOfSeveralNextHopsWithTheirWeights() {
    Way once = new Way(11, ip("192.0.2.8"), 1);
    Way twice = new Way(11, ip("192.0.2.9"), 2);
    kernel.set(Route.of(prefix("10.0.0.0/8"), RouteType.UNICAST, List.of(once, twice), 0));
    kernel.set(new Neighbour(11, ip("192.0.2.9"), THEIRS, "reachable"));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      Adjacency.Group group = assertInstanceOf(Adjacency.Group.class, to("10.1.2.3"));
      List<Integer> members = group.members();
      assertEquals(3, members.size());
      assertEquals(members.get(1), members.get(2));
      assertEquals(unresolved(1, 1500), fib.adjacencies().get(members.get(0)));
      assertEquals(forward(1, THEIRS, 1500), fib.adjacencies().get(members.get(1)));
      kernel.all(Route.class).forEach(kernel::remove);
      step(mirror, 1);
      assertEquals(0, fib.size());
    }
  }

  @Test
  void shouldAddWhatTheConfigurationSaysAlsoWithoutAKernel() {
    KernelMirror mirror =
        new KernelMirror(
            KernelSource.NONE,
            fib,
            null,
            HOST,
            PORTS,
            List.of(
                new StaticRoute(prefix("192.0.2.0/24"), null, "up0"),
                new StaticRoute(prefix("10.2.0.0/24"), ip("192.0.2.9"), null),
                new StaticRoute(prefix("10.9.0.0/24"), null, "elsewhere")),
            List.of(new StaticNeighbour(ip("192.0.2.9"), THEIRS, "up0")));
    mirror.doWork(0);
    assertEquals(forward(1, THEIRS, 1500), to("10.2.0.7"));
    assertEquals(forward(1, THEIRS, 1500), to("192.0.2.9"));
    assertEquals(unresolved(1, 1500), to("192.0.2.8"));
    assertNull(to("10.9.0.1"));
    mirror.close();
  }

  @Test
  void shouldNotLetANeighbourOverruleAMoreSpecificRoute() {
    kernel.set(route("10.0.0.0/24", 11, null));
    kernel.set(Route.of(prefix("10.0.0.8/30"), RouteType.BLACKHOLE, List.of(), 0));
    kernel.set(new Neighbour(11, ip("10.0.0.9"), THEIRS, "reachable"));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      assertEquals(new Adjacency.Blackhole(), to("10.0.0.9"));
    }
  }

  @Test
  void shouldAskForMissingNeighboursAndConfirmStaleOnes() {
    kernel.set(route("10.1.0.2/32", 12, null));
    kernel.set(route("10.1.0.3/32", 12, null));
    kernel.set(route("192.0.2.0/24", 11, null));
    kernel.set(new Neighbour(12, ip("10.1.0.3"), THEIRS, "stale"));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.wanted(Set.of(ip("192.0.2.77"), ip("203.0.113.5")));
      step(mirror, 0);
      List<String> all = List.of("11 192.0.2.77", "12 10.1.0.2", "12 10.1.0.3");
      List<String> missing = all.subList(0, 2);
      assertEquals(all, sorted());
      step(mirror, 500);
      assertEquals(List.of(), sorted());
      step(mirror, 500); // after 1, 2, 4 … seconds
      assertEquals(missing, sorted());
      step(mirror, 1000);
      assertEquals(List.of(), sorted());
      step(mirror, 1000);
      assertEquals(missing, sorted());
      step(mirror, 7000);
      assertEquals(all, sorted());
      mirror.waiting(ip("10.1.0.2"), now);
      assertEquals(List.of(), sorted()); // asked a moment ago
      now += TimeUnit.SECONDS.toNanos(1);
      mirror.waiting(ip("10.1.0.2"), now);
      mirror.waiting(ip("192.0.2.99"), now);
      assertEquals(List.of("11 192.0.2.99", "12 10.1.0.2"), sorted());
    }
  }

  @Test
  void shouldKeepWhatItKnowsAndReadAgainWhenTheAnswerIsMalformed() {
    kernel.set(route("10.1.0.2/32", 12, null));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      kernel.silent = true;
      kernel.set(route("10.1.0.3/32", 12, null));
      for (RuntimeException failure :
          List.of(
              new UncheckedIOException(new IOException("netlink: an attribute of 3 bytes")),
              new NativeException("dump of Route", Errno.EAGAIN, "try later"))) {
        kernel.failure = failure;
        kernel.lost = true;
        assertEquals(0, step(mirror, 1000));
        assertEquals(unresolved(2, 1400), to("10.1.0.2"));
      }
      int reads = kernel.reads;
      kernel.failure = null;
      assertEquals(0, step(mirror, 1)); // not at once
      assertEquals(reads, kernel.reads);
      assertEquals(1, step(mirror, 100));
      assertEquals(unresolved(2, 1400), to("10.1.0.3"));
    }
  }

  @Test
  void shouldReadAgainWhenMessagesWereLostAndOnceAMinuteAnyway() {
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      kernel.silent = true;
      kernel.set(route("10.1.0.3/32", 12, null));
      assertEquals(0, step(mirror, 1000));
      kernel.lost = true;
      assertEquals(1, step(mirror, 1));
      kernel.all(Route.class).forEach(kernel::remove);
      assertEquals(0, step(mirror, 59_000));
      assertEquals(1, step(mirror, 2000));
      assertNull(to("10.1.0.3"));
    }
  }

  @Test
  void shouldSendByTheBridgePortBehindWhichAPodIs() {
    kernel.set(new Link(20, "cni0", THEIRS, 1450, true, true, "bridge", 0, 0, false, null));
    kernel.set(new Link(12, "pod0", OURS, 1400, true, true, "veth", 20, 0, true, null));
    kernel.set(new Link(13, "pod1", OURS, 1500, true, true, "veth", 20, 0, true, null));
    kernel.set(route("10.244.1.0/24", 20, null));
    MacAddress pod = mac("02:00:00:00:00:77");
    kernel.set(new Neighbour(20, ip("10.244.1.5"), pod, "reachable"));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      assertEquals(HOST, to("10.244.1.5")); // the bridge has not learnt it yet
      assertInstanceOf(Adjacency.Unresolved.class, to("10.244.1.6"));
      kernel.set(new Forwarding(12, pod, 20, 0, null, 0, 0, false));
      step(mirror, 1);
      assertEquals(new Adjacency.Forward(2, THEIRS.bits(), pod.bits(), 1400), to("10.244.1.5"));
      kernel.set(new Forwarding(13, pod, 20, 0, null, 0, 0, false)); // not ours
      step(mirror, 1);
      assertEquals(HOST, to("10.244.1.5"));
      kernel.set(new Forwarding(12, pod, 20, 0, null, 0, 0, false));
      step(mirror, 1);
      mirror.ports(List.of());
      step(mirror, 1);
      assertEquals(HOST, to("10.244.1.5"));
      assertEquals(HOST, to("10.244.1.6"));
    }
  }

  @Test
  void shouldFollowNextHopObjects() {
    Way one = new Way(11, ip("192.0.2.8"), 1);
    Way two = new Way(12, ip("192.0.2.9"), 1);
    kernel.set(new NextHop(1, one, List.of()));
    kernel.set(new NextHop(2, two, List.of()));
    kernel.set(new NextHop(9, null, List.of(new Member(1, 1), new Member(2, 2))));
    kernel.set(new Route(prefix("10.0.0.0/8"), RouteType.UNICAST, List.of(one), 0, false, 9));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      assertEquals(3, assertInstanceOf(Adjacency.Group.class, to("10.1.2.3")).members().size());
      kernel.set(new NextHop(2, null, List.of())); // a blackhole is no way
      step(mirror, 1);
      assertEquals(unresolved(1, 1500), to("10.1.2.3"));
      kernel.set(new NextHop(9, two, List.of()));
      step(mirror, 1);
      assertEquals(unresolved(2, 1400), to("10.1.2.3"));
    }
  }

  @Test
  void shouldTakeAllInsideALocalNetworkForTheHosts() {
    kernel.set(route("10.0.0.0/8", 11, null));
    kernel.set(route("10.1.0.0/16", 12, null));
    Route anyIp = new Route(prefix("10.0.0.0/8"), RouteType.LOCAL, List.of(), 0, true, 0);
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      assertEquals(unresolved(2, 1400), to("10.1.2.3"));
      kernel.set(anyIp);
      step(mirror, 1);
      assertEquals(HOST, to("10.1.2.3"));
      assertEquals(HOST, to("10.2.2.3"));
      kernel.remove(anyIp);
      step(mirror, 1);
      assertEquals(unresolved(2, 1400), to("10.1.2.3"));
      assertEquals(unresolved(1, 1500), to("10.2.2.3"));
    }
  }

  private List<String> sorted() {
    List<String> all = kernel.asked.stream().sorted().toList();
    kernel.asked.clear();
    return all;
  }

  @Test
  void shouldTellFromWhichAddressTheNodeSends() {
    Map<String, String> told = new TreeMap<>();
    link(1, "up0", 1500, true);
    kernel.set(new KernelTables.Address(1, ip("192.0.2.1"), 24));
    kernel.set(new KernelTables.Address(1, ip("198.51.100.1"), 24));
    kernel.set(new KernelTables.Address(1, ip("fe80::1"), 64));
    kernel.set(new KernelTables.Address(1, ip("fd00::1"), 64));
    kernel.set(route("10.1.0.0/16", 1, "192.0.2.9"));
    kernel.set(route("10.2.0.0/16", 1, "198.51.100.9"));
    kernel.set(route("10.3.0.0/16", 1, "203.0.113.9"));
    kernel.set(route("198.51.100.0/24", 1, null));
    kernel.set(route("fd01::/16", 1, "fd00::9"));
    List<Way> way = List.of(new Way(1, ip("192.0.2.9"), 1));
    kernel.set(
        new Route(prefix("10.4.0.0/16"), RouteType.UNICAST, way, 0, false, 0, ip("192.0.2.7")));
    KernelMirror mirror = mirror(List.of(), List.of());
    mirror.onSources((to, source) -> {
      if (source == null) {
        told.remove(to.toString());
      } else {
        told.put(to.toString(), source.getHostAddress());
      }
    });
    step(mirror, 0);
    assertEquals(
        Map.of(
            "10.1.0.0/16", "192.0.2.1",
            "10.2.0.0/16", "198.51.100.1",
            "10.3.0.0/16", "192.0.2.1",
            "10.4.0.0/16", "192.0.2.7",
            "198.51.100.0/24", "198.51.100.1",
            "fd01::/16", "fd00:0:0:0:0:0:0:1"),
        told);
    kernel.remove(new KernelTables.Address(1, ip("192.0.2.1"), 24));
    kernel.remove(route("10.2.0.0/16", 1, "198.51.100.9"));
    step(mirror, 1);
    assertEquals("198.51.100.1", told.get("10.1.0.0/16"));
    assertFalse(told.containsKey("10.2.0.0/16"));
  }
}
