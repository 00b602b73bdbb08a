package io.gatun.control.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.MacAddress;
import io.gatun.control.document.Prefix;
import io.gatun.control.kernel.KernelTables.Forwarding;
import io.gatun.control.kernel.KernelTables.Link;
import io.gatun.control.kernel.KernelTables.Member;
import io.gatun.control.kernel.KernelTables.Neighbour;
import io.gatun.control.kernel.KernelTables.NextHop;
import io.gatun.control.kernel.KernelTables.Route;
import io.gatun.control.kernel.KernelTables.RouteType;
import io.gatun.control.kernel.KernelTables.Way;
import io.gatun.fib.Adjacency;
import io.gatun.fib.Fib;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random kernel events, applied one after the other, against tables that are looked through anew
 * for each address.
 */
class MirrorModelTest {
  private static final Adjacency HOST = new Adjacency.Host(9, 1, 2);
  private static final int BRIDGE = 20;
  private static final int[] DEVICES = {1, 2, 3, 4, BRIDGE};

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final FakeKernel kernel = new FakeKernel();
  private final Fib fib = new Fib(4096, Runnable::run);
  private List<TakenPort> ports = List.of();

  private static MacAddress mac(int device) {
    return new MacAddress(0x020000000000L + device);
  }

  private static InetAddress ip(int host) {
    return Addresses.of(new byte[] {10, 0, (byte) (host >>> 8), (byte) host});
  }

  private InetAddress someAddress() {
    return ip(random.nextInt(4) << 8 | random.nextInt(16));
  }

  private int someDevice() {
    return DEVICES[random.nextInt(DEVICES.length)];
  }

  private Link someLink() {
    int device = someDevice();
    boolean bridge = device == BRIDGE;
    return new Link(
        device,
        "d" + device,
        mac(device),
        1400 + random.nextInt(2),
        random.nextInt(4) > 0,
        random.nextInt(4) > 0,
        bridge ? "bridge" : "veth",
        !bridge && random.nextBoolean() ? BRIDGE : 0,
        0,
        false,
        null);
  }

  private Way someWay() {
    return new Way(
        someDevice(), random.nextBoolean() ? someAddress() : null, 1 + random.nextInt(3));
  }

  private Route someRoute() {
    int[] lengths = {0, 8, 22, 24, 28, 32};
    Prefix to = new Prefix(someAddress(), lengths[random.nextInt(lengths.length)]);
    RouteType type =
        random.nextInt(4) == 0
            ? RouteType.values()[random.nextInt(RouteType.values().length)]
            : RouteType.UNICAST;
    boolean local = type == RouteType.LOCAL && (to.length() == 32 || random.nextInt(8) == 0);
    List<Way> ways = new ArrayList<>();
    for (int i = 0, n = 1 + random.nextInt(2); type == RouteType.UNICAST && i < n; i++) {
      ways.add(someWay());
    }
    int object = type == RouteType.UNICAST && random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 0;
    return new Route(to, type, List.copyOf(ways), random.nextInt(2), local, object);
  }

  private NextHop someNextHop() {
    int id = 1 + random.nextInt(4);
    return id < 3
        ? new NextHop(id, random.nextInt(4) == 0 ? null : someWay(), List.of())
        : new NextHop(id, null, List.of(new Member(1, 1), new Member(2, 1 + random.nextInt(2))));
  }

  private void event() {
    switch (random.nextInt(10)) {
      case 0 -> kernel.set(someLink());
      case 1 -> removeSome(Link.class, 8);
      case 2, 3, 4 -> kernel.set(someRoute());
      case 5 -> removeSome(Route.class, 1);
      case 6 -> {
        kernel.set(
            new Neighbour(
                someDevice(),
                someAddress(),
                random.nextInt(3) == 0 ? null : mac(100 + random.nextInt(4)),
                "reachable"));
        removeSome(Neighbour.class, 4);
      }
      case 7 -> {
        kernel.set(
            new Forwarding(
                1 + random.nextInt(4), mac(100 + random.nextInt(4)), BRIDGE, 0, null, 0, 0, false));
        removeSome(Forwarding.class, 4);
      }
      case 8 -> {
        kernel.set(someNextHop());
        removeSome(NextHop.class, 8);
      }
      default -> {
        List<TakenPort> taken = new ArrayList<>();
        for (int device = 1; device < 4; device++) {
          if (random.nextInt(4) > 0) {
            taken.add(new TakenPort(device, "d" + device, device, mac(device), 1500));
          }
        }
        ports = taken;
      }
    }
  }

  private <T extends KernelTables.Entry> void removeSome(Class<T> kind, int oneIn) {
    List<T> all = kernel.all(kind);
    if (!all.isEmpty() && random.nextInt(oneIn) == 0) {
      kernel.remove(all.get(random.nextInt(all.size())));
    }
  }

  // The naive model.

  private @Nullable Link link(int device) {
    return kernel.all(Link.class).stream()
        .filter(l -> l.ifIndex() == device)
        .findFirst()
        .orElse(null);
  }

  private @Nullable TakenPort port(int device) {
    return ports.stream().filter(p -> p.ifIndex() == device).findFirst().orElse(null);
  }

  private boolean ours(int device) {
    Link link = link(device);
    return port(device) != null
        || (link != null
            && link.kind().equals("bridge")
            && ports.stream().anyMatch(p -> inBridge(p.ifIndex())));
  }

  private boolean inBridge(int device) {
    Link link = link(device);
    return link != null && link.master() == BRIDGE;
  }

  private @Nullable MacAddress neighbour(int device, InetAddress address) {
    return kernel.all(Neighbour.class).stream()
        .filter(n -> n.ifIndex() == device && n.address().equals(address))
        .findFirst()
        .map(Neighbour::mac)
        .orElse(null);
  }

  /** What may become of a packet: several where there is a group, "none" without a route. */
  private Set<Object> expected(InetAddress address) {
    List<Route> all = new ArrayList<>(kernel.all(Route.class));
    all.removeIf(r -> !r.to().contains(address));
    all.sort(
        Comparator.comparingInt((Route r) -> r.localTable() ? 0 : 1)
            .thenComparingInt(r -> r.localTable() ? 0 : -r.to().length())
            .thenComparingLong(Route::metric));
    for (Route route : all) {
      Set<Object> found = expected(route, address);
      if (found != null) {
        return found;
      }
    }
    return Set.of("none");
  }

  private @Nullable Set<Object> expected(Route route, InetAddress address) {
    List<Way> ways = route.ways();
    if (route.type() != RouteType.UNICAST) {
      return Set.of(
          switch (route.type()) {
            case LOCAL -> HOST;
            case BLACKHOLE -> new Adjacency.Blackhole();
            case PROHIBIT -> new Adjacency.Prohibited();
            default -> new Adjacency.Unreachable();
          });
    }
    NextHop object = object(route.nextHop());
    if (object != null) {
      if (object.way() == null && object.group().isEmpty()) {
        return Set.of(new Adjacency.Blackhole());
      }
      Way way = object.way();
      ways = way != null ? List.of(way) : members(object);
    }
    ways =
        ways.stream()
            .filter(w -> {
              Link link = link(w.ifIndex());
              return link != null && link.up();
            })
            .toList();
    List<Way> running =
        ways.stream().filter(w -> Objects.requireNonNull(link(w.ifIndex())).running()).toList();
    ways = running.isEmpty() ? ways : running;
    if (ways.isEmpty()) {
      return null;
    }
    if (ways.stream().anyMatch(w -> !ours(w.ifIndex()))) {
      return Set.of(HOST);
    }
    Set<Object> all = new HashSet<>();
    for (Way way : ways) {
      InetAddress gateway = way.gateway();
      // A group does not lead each destination on a link to itself: nobody knows their addresses.
      boolean direct =
          route.to().length() == 32
              || ways.stream().map(w -> w.ifIndex() + " " + w.gateway()).distinct().count() == 1;
      InetAddress next = gateway != null ? gateway : direct ? address : null;
      all.add(adjacency(way.ifIndex(), next));
    }
    return all;
  }

  private @Nullable NextHop object(int id) {
    return kernel.all(NextHop.class).stream().filter(n -> n.id() == id).findFirst().orElse(null);
  }

  private List<Way> members(NextHop group) {
    List<Way> ways = new ArrayList<>();
    for (Member member : group.group()) {
      NextHop hop = object(member.id());
      Way way = hop == null ? null : hop.way();
      if (way != null) {
        ways.add(way);
      }
    }
    return ways;
  }

  private Adjacency adjacency(int device, @Nullable InetAddress next) {
    Link link = Objects.requireNonNull(link(device));
    MacAddress mac = next == null ? null : neighbour(device, next);
    TakenPort port = port(device);
    int mtu = link.mtu();
    if (port == null) {
      if (mac == null) {
        return new Adjacency.Unresolved(-1, link.mac().bits(), mtu); // by any of the bridge's ports
      }
      for (Forwarding entry : kernel.all(Forwarding.class)) {
        if (entry.mac().equals(mac)) {
          port = port(entry.ifIndex());
          Link lower = link(entry.ifIndex());
          mtu = Math.min(mtu, lower == null ? 1500 : lower.mtu());
        }
      }
      if (port == null) {
        return HOST;
      }
    }
    return mac == null
        ? new Adjacency.Unresolved(port.number(), link.mac().bits(), mtu)
        : new Adjacency.Forward(port.number(), link.mac().bits(), mac.bits(), mtu);
  }

  private Set<Object> actual(InetAddress address) {
    int number = fib.lookup(address);
    if (number == 0) {
      return Set.of("none");
    }
    Adjacency adjacency = Objects.requireNonNull(fib.adjacencies().get(number));
    Set<Object> all = new HashSet<>();
    List<Integer> members =
        adjacency instanceof Adjacency.Group group ? group.members() : List.of(number);
    for (int member : members) {
      Adjacency one = Objects.requireNonNull(fib.adjacencies().get(member));
      boolean bridged =
          one instanceof Adjacency.Unresolved(int _, long own, int _) && own == mac(BRIDGE).bits();
      all.add(
          bridged && one instanceof Adjacency.Unresolved(int _, long own, int mtu)
              ? new Adjacency.Unresolved(-1, own, mtu)
              : one);
    }
    return all;
  }

  @Test
  void shouldBeAsIfAllWereWorkedOutAnew() {
    try (KernelMirror mirror =
        new KernelMirror(
            kernel,
            fib,
            null,
            HOST,
            ports,
            List.of(),
            List.of(),
            task -> new Thread(task).start())) {
      for (int round = 0; round < 1500; round++) {
        List<TakenPort> before = ports;
        for (int i = random.nextInt(4); i >= 0; i--) {
          event();
        }
        if (!ports.equals(before)) {
          mirror.ports(ports);
        }
        do {
          mirror.doWork(round);
        } while (mirror.isBehind());
        for (int i = 0; i < 16; i++) {
          InetAddress address = someAddress();
          assertEquals(
              expected(address),
              actual(address),
              "seed " + seed + " round " + round + " " + address + " " + mirror.route(address));
        }
      }
      kernel.all(Route.class).forEach(kernel::remove);
      mirror.doWork(0);
      assertEquals(0, fib.size());
    } finally {
      fib.close();
    }
  }
}
