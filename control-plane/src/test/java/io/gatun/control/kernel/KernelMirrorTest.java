package io.gatun.control.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Address;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Neighbour;
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
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KernelMirrorTest {
  private static final MacAddress OURS = mac("02:00:00:00:00:01");
  private static final MacAddress THEIRS = mac("02:00:00:00:00:02");
  private static final Adjacency HOST = new Adjacency.Host(9, 1, 2);
  private static final List<TakenPort> PORTS =
      List.of(new TakenPort(1, "up0", 11, OURS, 1500), new TakenPort(2, "pod0", 12, OURS, 1400));

  private final Fib fib = new Fib(1024, Runnable::run);
  private final Tables kernel = new Tables();

  /** A kernel whose tables a test writes. */
  private static final class Tables implements KernelSource {
    final List<Link> links = new ArrayList<>();
    final List<Address> addresses = new ArrayList<>();
    final List<Route> routes = new ArrayList<>();
    final List<Neighbour> neighbours = new ArrayList<>();
    final List<String> asked = new ArrayList<>();
    @Nullable RuntimeException failure;
    int reads;

    @Override
    public KernelTables read() {
      reads++;
      if (failure != null) {
        throw failure;
      }
      return new KernelTables(
          List.copyOf(links), List.copyOf(addresses), List.copyOf(routes), List.copyOf(neighbours));
    }

    @Override
    public boolean changed() {
      return false;
    }

    @Override
    public void resolve(int ifIndex, InetAddress address) {
      asked.add(ifIndex + " " + address.getHostAddress());
    }

    @Override
    public void close() {
      links.clear();
    }
  }

  @AfterEach
  void close() {
    fib.close();
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
    return new Route(prefix(to), RouteType.UNICAST, List.of(way), 0);
  }

  private KernelMirror mirror(List<StaticRoute> routes, List<StaticNeighbour> neighbours) {
    return new KernelMirror(kernel, fib, HOST, PORTS, routes, neighbours);
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
    kernel.links.add(new Link(11, "up0", OURS, 1450, true));
    kernel.addresses.add(new Address(11, ip("192.0.2.1")));
    kernel.routes.add(route("192.0.2.0/24", 11, null)); // connected
    kernel.routes.add(route("10.1.0.2/32", 12, null)); // a pod
    kernel.routes.add(route("10.2.0.0/24", 11, "192.0.2.9")); // another node's pods
    kernel.routes.add(route("0.0.0.0/0", 3, "203.0.113.1")); // by an interface that is not ours
    kernel.routes.add(new Route(prefix("10.3.0.0/24"), RouteType.BLACKHOLE, List.of(), 0));
    kernel.routes.add(new Route(prefix("10.4.0.0/24"), RouteType.UNREACHABLE, List.of(), 0));
    kernel.routes.add(route("fe80::/64", 11, null));
    kernel.routes.add(route("fd00::2/128", 12, null));
    kernel.neighbours.add(new Neighbour(11, ip("192.0.2.9"), THEIRS, false));
    kernel.neighbours.add(new Neighbour(11, ip("192.0.2.10"), null, false));
    kernel.neighbours.add(new Neighbour(12, ip("fd00::2"), THEIRS, true));
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
      assertEquals(0, mirror.doWork(TimeUnit.SECONDS.toNanos(2)));
    }
  }

  @Test
  void shouldFollowChangesAndForgetWhatIsGone() {
    kernel.routes.add(route("10.1.0.2/32", 12, null));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      kernel.neighbours.add(new Neighbour(12, ip("10.1.0.2"), THEIRS, false));
      assertEquals(0, mirror.doWork(1)); // not yet time to look
      assertEquals(1, mirror.doWork(TimeUnit.SECONDS.toNanos(1)));
      assertEquals(forward(2, THEIRS, 1400), to("10.1.0.2"));
      kernel.routes.clear();
      assertEquals(2, mirror.doWork(TimeUnit.SECONDS.toNanos(2)));
      assertNull(to("10.1.0.2"));
      assertEquals(0, fib.size());
    }
  }

  @Test
  void shouldTellOfLocalAddressesFirstAndWhenTheyChange() {
    List<List<InetAddress>> told = new ArrayList<>();
    kernel.addresses.add(new Address(11, ip("192.0.2.1")));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.onLocalAddresses(told::add);
      mirror.doWork(0);
      kernel.routes.add(route("10.1.0.2/32", 12, null));
      mirror.doWork(TimeUnit.SECONDS.toNanos(1));
      kernel.addresses.add(new Address(11, ip("192.0.2.3")));
      mirror.doWork(TimeUnit.SECONDS.toNanos(2));
    }
    assertEquals(
        List.of(List.of(ip("192.0.2.1")), List.of(ip("192.0.2.1"), ip("192.0.2.3"))), told);
  }

  @Test
  void shouldPreferTheLowerMetricAndLinksThatAreUp() {
    kernel.links.add(new Link(11, "up0", OURS, 1500, false));
    kernel.links.add(new Link(12, "pod0", OURS, 1400, true));
    Way down = new Way(11, ip("192.0.2.9"), 1);
    Way up = new Way(12, ip("192.0.2.8"), 1);
    kernel.routes.add(new Route(prefix("10.0.0.0/8"), RouteType.UNICAST, List.of(up), 200));
    kernel.routes.add(new Route(prefix("10.0.0.0/8"), RouteType.UNICAST, List.of(down), 100));
    kernel.routes.add(new Route(prefix("11.0.0.0/8"), RouteType.BLACKHOLE, List.of(), 1));
    kernel.routes.add(new Route(prefix("11.0.0.0/8"), RouteType.UNICAST, List.of(up), 2));
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
    kernel.routes.add(new Route(prefix("10.0.0.0/8"), RouteType.UNICAST, List.of(once, twice), 0));
    kernel.neighbours.add(new Neighbour(11, ip("192.0.2.9"), THEIRS, false));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      Adjacency.Group group = assertInstanceOf(Adjacency.Group.class, to("10.1.2.3"));
      List<Integer> members = group.members();
      assertEquals(3, members.size());
      assertEquals(members.get(1), members.get(2));
      assertEquals(unresolved(1, 1500), fib.adjacencies().get(members.get(0)));
      assertEquals(forward(1, THEIRS, 1500), fib.adjacencies().get(members.get(1)));
      kernel.routes.clear();
      mirror.doWork(TimeUnit.SECONDS.toNanos(2));
      assertEquals(0, fib.size());
    }
  }

  @Test
  void shouldAddWhatTheConfigurationSaysAlsoWithoutAKernel() {
    KernelMirror mirror =
        new KernelMirror(
            KernelSource.NONE,
            fib,
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
    kernel.routes.add(route("10.0.0.0/24", 11, null));
    kernel.routes.add(new Route(prefix("10.0.0.8/30"), RouteType.BLACKHOLE, List.of(), 0));
    kernel.neighbours.add(new Neighbour(11, ip("10.0.0.9"), THEIRS, false));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      assertEquals(new Adjacency.Blackhole(), to("10.0.0.9"));
    }
  }

  @Test
  void shouldAskForMissingNeighboursAndConfirmStaleOnes() {
    kernel.routes.add(route("10.1.0.2/32", 12, null));
    kernel.routes.add(route("10.1.0.3/32", 12, null));
    kernel.routes.add(route("192.0.2.0/24", 11, null));
    kernel.neighbours.add(new Neighbour(12, ip("10.1.0.3"), THEIRS, true));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.wanted(List.of(ip("192.0.2.77"), ip("203.0.113.5")));
      mirror.doWork(0);
      assertEquals(List.of("11 192.0.2.77", "12 10.1.0.2"), sorted());
      mirror.doWork(TimeUnit.SECONDS.toNanos(1));
      assertEquals(List.of("11 192.0.2.77", "12 10.1.0.2"), sorted());
      mirror.doWork(TimeUnit.SECONDS.toNanos(11));
      assertEquals(List.of("11 192.0.2.77", "12 10.1.0.2", "12 10.1.0.3"), sorted());
    }
  }

  @Test
  void shouldKeepWhatItKnowsAndReadAgainWhenTheAnswerIsMalformed() {
    kernel.routes.add(route("10.1.0.2/32", 12, null));
    try (KernelMirror mirror = mirror(List.of(), List.of())) {
      mirror.doWork(0);
      kernel.routes.add(route("10.1.0.3/32", 12, null));
      long second = TimeUnit.SECONDS.toNanos(1);
      for (RuntimeException failure :
          List.of(
              new UncheckedIOException(new IOException("netlink: an attribute of 3 bytes")),
              new NativeException("dump of Route", Errno.EAGAIN, "try later"))) {
        kernel.failure = failure;
        assertEquals(0, mirror.doWork(second));
        assertEquals(unresolved(2, 1400), to("10.1.0.2"));
        second += TimeUnit.MILLISECONDS.toNanos(100);
      }
      int reads = kernel.reads;
      kernel.failure = null;
      assertEquals(0, mirror.doWork(second - 1)); // not at once
      assertEquals(reads, kernel.reads);
      assertEquals(2, mirror.doWork(second));
      assertEquals(unresolved(2, 1400), to("10.1.0.3"));
    }
  }

  private List<String> sorted() {
    List<String> all = kernel.asked.stream().sorted().toList();
    kernel.asked.clear();
    return all;
  }
}
