package io.gatun.ffm.netlink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.ffm.Libc;
import io.gatun.ffm.Root;
import io.gatun.ffm.ethtool.Ethtool;
import io.gatun.ffm.memory.Memory;
import io.gatun.ffm.memory.NativeArea;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares what we read with what {@code ip -j} prints, in a namespace with everything in it. */
class RtnetlinkIT {
  private static final String SPACE = "gatun-ffm-" + ProcessHandle.current().pid();

  @BeforeAll
  static void makeNamespace() throws Exception {
    Root.required();
    ip("netns add " + SPACE);
    for (String command :
        List.of(
            "link set lo up",
            "link add br0 type bridge",
            "link add a0 type veth peer name a1",
            "link add b0 type veth peer name b1",
            "link set b0 master br0",
            "link set a0 mtu 1400 up",
            "link set a1 up",
            "link set b0 up",
            "link set b1 up",
            "link set br0 up",
            "address add 10.1.0.1/24 dev a0",
            "address add 10.2.0.1/24 dev br0",
            "address add fd00:1::1/64 dev a0 nodad",
            "route add 10.9.0.0/16 via 10.1.0.2 metric 77",
            "route add 10.8.0.0/16 table 1000 dev a0",
            "route add blackhole 10.7.0.0/16",
            "route add 10.6.0.1/32 via 169.254.1.1 dev a0 onlink",
            "route add 10.5.0.0/16 nexthop via 10.1.0.3 weight 1 nexthop via 10.2.0.3 weight 5",
            "-6 route add fd00:9::/48 via fd00:1::2",
            "link add vx0 type vxlan id 77 local 10.1.0.1 dev a0 dstport 8472 nolearning",
            "link set vx0 up",
            "nexthop add id 5 via 10.1.0.9 dev a0",
            "nexthop add id 6 via 10.2.0.9 dev br0",
            "nexthop add id 9 group 5/6,3",
            "route add 10.4.0.0/16 nhid 9",
            "rule add pref 500 iif a0 to 10.4.0.0/16 lookup 1000",
            "neigh add 10.1.0.2 lladdr 02:00:00:00:00:02 dev a0 nud permanent")) {
      inside(command);
    }
  }

  @AfterAll
  static void removeNamespace() throws Exception {
    ip("netns delete " + SPACE);
  }

  @Test
  void shouldSeeTheLinksThatIpSees() throws Exception {
    List<Link> links = inNamespace(Rtnetlink::links);
    assertEquals(
        values(inside("-j link show"), "ifname"),
        links.stream().map(Link::name).collect(Collectors.toSet()));
    Link a0 = link(links, "a0");
    Link a1 = link(links, "a1");
    assertEquals("veth", a0.kind());
    assertEquals(1400, a0.mtu());
    assertEquals(6, a0.mac().length);
    assertTrue(a0.up() && a0.running());
    assertEquals(a1.index(), a0.peerIndex());
    assertEquals(a0.index(), a1.peerIndex());
    assertEquals(-1, a0.peerNamespace());
    assertEquals("bridge", link(links, "br0").kind());
    assertEquals(link(links, "br0").index(), link(links, "b0").master());
    assertEquals("", link(links, "lo").kind());
  }

  @Test
  void shouldSeeTheAddressesThatIpSees() throws Exception {
    List<Address> addresses = inNamespace(Rtnetlink::addresses);
    Set<InetAddress> expected =
        values(inside("-j address show"), "local").stream()
            .map(InetAddress::ofLiteral)
            .collect(Collectors.toSet());
    assertEquals(expected, addresses.stream().map(Address::address).collect(Collectors.toSet()));
    Address a0 = find(addresses, a -> a.address().equals(InetAddress.ofLiteral("10.1.0.1")));
    assertEquals(24, a0.prefixLength());
  }

  private static int printedRoutes() throws Exception {
    return values(inside("-j -4 route show table all"), "dst", true).size()
        + values(inside("-j -6 route show table all"), "dst", true).size();
  }

  @Test
  void shouldSeeTheRoutesThatIpSees() throws Exception {
    // The kernel adds IPv6 routes of its own for some seconds after a link came up.
    List<Route> routes = inNamespace(Rtnetlink::routes);
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (routes.size() != printedRoutes() && System.nanoTime() < deadline) {
      routes = inNamespace(Rtnetlink::routes);
    }
    assertEquals(printedRoutes(), routes.size());
    int a0 = link(inNamespace(Rtnetlink::links), "a0").index();
    Route metric = route(routes, "10.9.0.0");
    assertEquals(77, metric.metric());
    assertEquals(16, metric.prefixLength());
    assertEquals(Route.TABLE_MAIN, metric.table());
    assertEquals(
        List.of(new NextHop(a0, InetAddress.ofLiteral("10.1.0.2"), 1, false, false, false)),
        metric.nextHops());
    Route table = route(routes, "10.8.0.0");
    assertEquals(1000, table.table());
    assertEquals(List.of(new NextHop(a0, null, 1, false, false, false)), table.nextHops());
    assertEquals(Route.BLACKHOLE, route(routes, "10.7.0.0").type());
    assertEquals(List.of(), route(routes, "10.7.0.0").nextHops());
    assertTrue(route(routes, "10.6.0.1").nextHops().getFirst().onlink());
    List<NextHop> several = route(routes, "10.5.0.0").nextHops();
    assertEquals(List.of(1, 5), several.stream().map(NextHop::weight).toList());
    assertEquals(InetAddress.ofLiteral("10.2.0.3"), several.get(1).gateway());
    Route six = route(routes, "fd00:9::");
    assertEquals(48, six.prefixLength());
    assertEquals(InetAddress.ofLiteral("fd00:1::2"), six.nextHops().getFirst().gateway());
    Route local = route(routes, "10.1.0.1");
    assertEquals(Route.LOCAL, local.type());
    assertEquals(Route.TABLE_LOCAL, local.table());
  }

  @Test
  void shouldHaveTheKernelResolveANeighbour() throws Exception {
    InetAddress wanted = InetAddress.ofLiteral("10.1.0.77");
    List<Neighbour> neighbours =
        inNamespace(kernel -> {
          Link a0 = link(kernel.links(), "a0");
          assertEquals(0, kernel.useNeighbour(a0.index(), wanted));
          return kernel.neighbours();
        });
    Neighbour asked = find(neighbours, n -> n.address().equals(wanted));
    assertEquals(Neighbour.NUD_INCOMPLETE, asked.state());
    assertFalse(asked.valid());
    Neighbour known = find(neighbours, n -> n.address().equals(InetAddress.ofLiteral("10.1.0.2")));
    assertEquals(Neighbour.NUD_PERMANENT, known.state());
    assertEquals(2, assertNotNullMac(known)[5]);
    assertTrue(known.valid());
  }

  @Test
  void shouldSeeNextHopObjectsAndTheRoutesThatNameThem() throws Exception {
    List<NextHopObject> hops = inNamespace(Rtnetlink::nextHops);
    NextHopObject group = find(hops, hop -> hop.id() == 9);
    assertEquals(
        List.of(new NextHopObject.Member(5, 1), new NextHopObject.Member(6, 3)), group.group());
    assertEquals(InetAddress.ofLiteral("10.1.0.9"), find(hops, h -> h.id() == 5).gateway());
    assertEquals(9, route(inNamespace(Rtnetlink::routes), "10.4.0.0").nextHopId());
  }

  @Test
  void shouldSeeRules() throws Exception {
    List<Rule> rules = inNamespace(Rtnetlink::rules);
    assertEquals(3, rules.stream().filter(rule -> !rule.ipv6() && rule.priority() != 500).count());
    Rule rule = find(rules, r -> r.priority() == 500);
    assertEquals(List.of("iif a0"), rule.conditions());
    assertEquals(InetAddress.ofLiteral("10.4.0.0"), rule.destination());
    assertEquals(16, rule.destinationLength());
    assertEquals(1000, rule.table());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tos 0x10",
        "fwmark 0x1",
        "fwmark 0x4000/0xc000",
        "fwmark 0x0/0xff",
        "iif lo oif a0",
        "uidrange 1000-4294967294",
        "ipproto tcp sport 1024-65534 dport 80",
        "ipproto 200",
        "suppress_prefixlength 0",
        "suppress_ifgroup 7",
      })
  void shouldSayWhatARuleIsForInTheWordsOfIp(String conditions) throws Exception {
    inside("rule add pref 501 " + conditions + " lookup 1000");
    try {
      Rule rule = find(inNamespace(Rtnetlink::rules), r -> r.priority() == 501);
      assertEquals(conditions, String.join(" ", rule.conditions()));
    } finally {
      inside("rule del pref 501");
    }
  }

  @Test
  void shouldSayForWhomARuleIsAndWhereItGoesOn() throws Exception {
    inside("-6 rule add pref 502 not from fd00:7::/64 goto 32766");
    Rule rule = find(inNamespace(Rtnetlink::rules), r -> r.priority() == 502);
    inside("-6 rule del pref 502");
    assertTrue(rule.ipv6() && rule.inverted());
    assertEquals(InetAddress.ofLiteral("fd00:7::"), rule.source());
    assertEquals(64, rule.sourceLength());
    assertEquals(32766, rule.target());
  }

  @Test
  void shouldSeeTunnelsAndForwardingDatabases() throws Exception {
    List<Link> links = inNamespace(Rtnetlink::links);
    VxlanDevice vxlan = link(links, "vx0").vxlan();
    int a0 = link(links, "a0").index();
    assertEquals(
        new VxlanDevice(77, InetAddress.ofLiteral("10.1.0.1"), a0, 8472, false, false, true),
        vxlan);
    bridge("fdb append 02:00:00:00:00:77 dev vx0 dst 192.0.2.7 self permanent");
    bridge("fdb add 02:00:00:00:00:88 dev b0 master static");
    List<FdbEntry> entries = inNamespace(Rtnetlink::forwardingEntries);
    FdbEntry remote =
        find(entries, e -> e.mac()[0] == 2 && e.mac()[5] == 0x77 && e.remote() != null);
    assertEquals(link(links, "vx0").index(), remote.ifIndex());
    assertEquals(InetAddress.ofLiteral("192.0.2.7"), remote.remote());
    assertEquals(0, remote.master());
    FdbEntry port = find(entries, e -> e.mac()[0] == 2 && e.mac()[5] == (byte) 0x88);
    assertEquals(link(links, "b0").index(), port.ifIndex());
    assertEquals(link(links, "br0").index(), port.master());
    assertFalse(port.local());
  }

  private static void bridge(String command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(("bridge -n " + SPACE + " " + command).split(" ")).inheritIO().start();
    assertEquals(0, process.waitFor(), command);
  }

  @Test
  void shouldTellOfChanges() throws Exception {
    List<NetlinkSubscription.Change> changes = new ArrayList<>();
    inNamespace(kernel -> {
      try (NetlinkSubscription subscription =
              new NetlinkSubscription(NetlinkSubscription.EVERYTHING);
          NativeArea pollfd = NativeArea.map("pollfd", Libc.POLLFD_BYTES)) {
        inside("route add 10.44.0.0/16 via 10.1.0.2");
        inside("route delete 10.44.0.0/16");
        Memory.putInt(pollfd.address(), subscription.fd());
        Memory.putShort(pollfd.address() + Libc.POLLFD_EVENTS, Libc.POLLIN);
        assertEquals(1, Libc.poll(pollfd.address(), 1, 1000));
        assertTrue(subscription.read(changes::add));
        return true;
      }
    });
    List<Boolean> removed =
        changes.stream()
            .filter(c ->
                c.object() instanceof Route r
                    && r.destination().equals(InetAddress.ofLiteral("10.44.0.0")))
            .map(NetlinkSubscription.Change::removed)
            .toList();
    assertEquals(List.of(false, true), removed);
  }

  @Test
  void shouldTurnTransmitChecksumsOffAndOn() throws Exception {
    inNamespace(kernel -> {
      assertTrue(Ethtool.transmitChecksum("b1"));
      assertEquals(0, Ethtool.transmitChecksum("b1", false));
      assertFalse(Ethtool.transmitChecksum("b1"));
      assertEquals(0, Ethtool.transmitChecksum("b1", true));
      assertTrue(Ethtool.transmitChecksum("b1"));
      assertTrue(Ethtool.channels("b1").receiving() >= 1);
      assertEquals(1, Ethtool.channels("lo").receiving());
      return true;
    });
  }

  private static byte[] assertNotNullMac(Neighbour neighbour) {
    byte[] mac = neighbour.mac();
    assertNotNull(mac);
    return mac == null ? new byte[6] : mac;
  }

  private static Link link(List<Link> links, String name) {
    return find(links, l -> l.name().equals(name));
  }

  private static Route route(List<Route> routes, String destination) {
    InetAddress address = InetAddress.ofLiteral(destination);
    return find(routes, r -> r.destination().equals(address));
  }

  private static <T> T find(List<T> all, java.util.function.Predicate<T> wanted) {
    return all.stream().filter(wanted).findFirst().orElseThrow();
  }

  private static Set<String> values(String json, String key) {
    return Set.copyOf(values(json, key, false));
  }

  private static List<String> values(String json, String key, boolean all) {
    List<String> found = new ArrayList<>();
    var matcher = Pattern.compile("\"" + key + "\": ?\"([^\"]*)\"").matcher(json);
    while (matcher.find()) {
      if (all || !found.contains(matcher.group(1))) {
        found.add(matcher.group(1));
      }
    }
    return found;
  }

  private interface Question<T> {
    T ask(Rtnetlink kernel) throws Exception;
  }

  /** On a thread of its own, because a thread that has entered a namespace stays there. */
  private static <T> T inNamespace(Question<T> question)
      throws InterruptedException, ExecutionException {
    Callable<T> task =
        () -> {
          int fd = Libc.open("/run/netns/" + SPACE, Libc.O_RDONLY | Libc.O_CLOEXEC);
          assertEquals(0, Libc.setns(fd, Libc.CLONE_NEWNET));
          Libc.close(fd);
          try (Rtnetlink kernel = new Rtnetlink()) {
            return question.ask(kernel);
          }
        };
    FutureTask<T> future = new FutureTask<>(task);
    Thread.ofPlatform().start(future);
    return future.get();
  }

  private static String inside(String command) throws IOException, InterruptedException {
    return ip("-n " + SPACE + " " + command);
  }

  private static String ip(String command) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("ip"));
    words.addAll(List.of(command.split(" ", -1)));
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), "ip " + command + ": " + output);
    return output;
  }
}
