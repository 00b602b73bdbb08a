package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What runs on the node itself notices nothing, whatever becomes of Gatun. */
class GuestIT {
  /** As `birdc show protocols` says it. */
  private static final Pattern SINCE = Pattern.compile("\\d\\d:\\d\\d:\\d\\d\\.\\d{3}");

  private static final Duration READY = Duration.ofSeconds(60);
  private static final long PHASE_MILLIS = 250;

  /** A connection that is used every 5 ms; at SIGTERM: how often, and the longest wait in ms. */
  private static final String CLIENT =
      """
      import signal, socket, sys, time
      s = socket.create_connection((sys.argv[1], 2222), 5)
      s.settimeout(20)
      ended = []
      signal.signal(signal.SIGTERM, lambda *a: ended.append(1))
      count, longest, last = 0, 0, time.monotonic()
      while not ended:
          s.sendall(b'x')
          assert s.recv(1) == b'x', 'closed'
          now = time.monotonic()
          longest, last, count = max(longest, now - last), now, count + 1
          time.sleep(.005)
      print(count, int(longest * 1000), flush=True)
      """;

  private static final String SERVER =
      """
      import socketserver
      class Echo(socketserver.BaseRequestHandler):
          def handle(self):
              while data := self.request.recv(1000):
                  self.request.sendall(data)
      socketserver.ThreadingTCPServer.allow_reuse_address = True
      socketserver.ThreadingTCPServer(('', 2222), Echo).serve_forever()
      """;

  @TempDir private Path folder;
  private TwoNodes topology;
  private Node node;

  @SuppressWarnings("NullAway.Init") // each test's first step
  private Path config;

  private Path manifests;

  @BeforeAll
  static void machine() {
    Machine.fit("python3", "nft", "tcpdump");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "guest");
    node = topology.nodeA();
    node.sysctl("net.ipv4.ip_forward", "1");
    manifests = Cluster.writeManifests(topology);
    node.spawn("echo", "python3", "-c", SERVER);
    node.awaitListening(2222);
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  private void configure(String driver) throws IOException {
    config = Cluster.writeConfiguration(topology, node, driver, driver);
    Files.writeString(config, "onFailure: {hold: 500ms}\n", StandardOpenOption.APPEND);
  }

  private GatunProcess start(String... more) throws IOException {
    GatunProcess gatun = GatunProcess.start(node, config, manifests, List.of(more));
    gatun.awaitReady(READY);
    return gatun;
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Some traffic under each kind of reverse path filtering. */
  private void underEachFilter() throws IOException {
    for (String value : List.of("1", "2", "0")) {
      node.sysctl("net.ipv4.conf.all.rp_filter", value);
      node.sysctl("net.ipv4.conf.eth0.rp_filter", value);
      pause(PHASE_MILLIS);
    }
  }

  private static void signal(GatunProcess gatun, String name) throws IOException {
    Command.of("kill", "-" + name, Long.toString(gatun.process().pid())).run().orThrow();
  }

  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }

  /** Start, hang, death, restart, replacement, end; {@code now} while the first one runs. */
  private void live(Step now) throws Exception {
    underEachFilter();
    GatunProcess first = start();
    underEachFilter();
    now.run();
    signal(first, "STOP");
    underEachFilter();
    signal(first, "CONT");
    signal(first, "KILL");
    first.process().waitFor();
    underEachFilter();
    GatunProcess second = start();
    underEachFilter();
    GatunProcess third = start("--replace");
    assertTrue(second.process().waitFor(20, TimeUnit.SECONDS), "the replaced one ended");
    underEachFilter();
    third.stop();
    underEachFilter();
  }

  @ParameterizedTest
  @ValueSource(strings = {"xdp", "packet"})
  void shouldKeepAConnectionToTheNodeUpThroughEverything(String driver) throws Exception {
    configure(driver);
    node.exec("nft", "add table inet guard").orThrow();
    node.exec("nft", "add chain inet guard in { type filter hook input priority 0; }").orThrow();
    node.exec("nft", "add rule inet guard in iifname eth0 tcp dport 2222 counter").orThrow();
    node.exec("nft", "add rule inet guard in iifname != eth0 tcp dport 2222 counter drop")
        .orThrow();
    Process client =
        topology.outside().spawn("client", "python3", "-c", CLIENT, topology.address(node));
    live(() -> {
      Process tcpdump = node.spawn("tcpdump", "tcpdump", "-lni", "eth0", "-c", "5", "port", "2222");
      assertTrue(tcpdump.waitFor(20, TimeUnit.SECONDS), "tcpdump -i eth0 sees the connection");
    });
    client.destroy();
    assertTrue(client.waitFor(30, TimeUnit.SECONDS));
    String said = Files.readString(topology.outside().runDirectory().resolve("client.log"));
    System.out.println("round trips, longest in ms: " + said.strip());
    assertEquals(0, client.exitValue(), said);
    String[] numbers = said.strip().split(" ", -1);
    assertTrue(Integer.parseInt(numbers[0]) > 500, said);
    assertTrue(Integer.parseInt(numbers[1]) < 3000, said);
    String rules = node.exec("nft", "list chain inet guard in").orThrow().output();
    assertTrue(rules.contains("iifname != \"eth0\" tcp dport 2222 counter packets 0 "), rules);
  }

  @ParameterizedTest
  @ValueSource(strings = {"xdp", "packet"})
  void shouldLeaveRoutingDaemonsAndDhcpAlone(String driver) throws Exception {
    configure(driver);
    Machine.fit("bird", "birdc", "udhcpc", "dnsmasq");
    Node outside = topology.outside();
    bird(node, "192.168.0.11", 65001, "fe80::c0ff:fea8:11", 65002, "fe80::c0ff:fea8:64");
    bird(outside, "192.168.0.100", 65002, "fe80::c0ff:fea8:64", 65001, "fe80::c0ff:fea8:11");
    String lines = Await.answer("BIRD", READY, () -> birdc("show protocols"), GuestIT::established);
    Await.answer("BFD", READY, () -> birdc("show bfd sessions"), text -> text.contains(" Up "));
    outside.spawn(
        "dhcp",
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--port=0",
        "--leasefile-ro",
        "--interface=eth0",
        "--dhcp-range=192.168.0.200,192.168.0.210,120");
    live(() ->
        node.exec("udhcpc", "-f", "-q", "-n", "-t", "5", "-i", "eth0", "-s", "/bin/true")
            .orThrow());
    assertNoneBegunAnew(lines, birdc("show protocols"));
    assertTrue(birdc("show bfd sessions").contains(" Up "));
  }

  /** BIRD works out by the clock since when a session is up, to a millisecond more or less. */
  private static void assertNoneBegunAnew(String before, String after) {
    assertEquals(SINCE.matcher(before).replaceAll(""), SINCE.matcher(after).replaceAll(""));
    List<LocalTime> first =
        SINCE.matcher(before).results().map(t -> LocalTime.parse(t.group())).toList();
    List<LocalTime> last =
        SINCE.matcher(after).results().map(t -> LocalTime.parse(t.group())).toList();
    for (int i = 0; i < first.size(); i++) {
      long moved = Duration.between(first.get(i), last.get(i)).toMillis();
      assertTrue(Math.abs(moved) < 100, () -> "a session has begun anew:\n" + before + after);
    }
  }

  /** A packet to a Service that nobody serves any more must not go round between pair and stack. */
  @ParameterizedTest
  @ValueSource(strings = {"xdp", "packet"})
  void shouldLetNoPacketCrossThePairTwiceWhenGatunIsDead(String driver) throws Exception {
    configure(driver);
    GatunProcess gatun = start();
    signal(gatun, "KILL");
    gatun.process().waitFor();
    pause(1000); // the hold is over
    int packets = 20;
    for (boolean six : new boolean[] {false, true}) {
      String service = six ? Cluster.WEB6 : Cluster.WEB;
      String own = six ? topology.address6(node) : topology.address(node);
      long before = crossings();
      knock(topology.pod("client-a").node(), service, 80, packets);
      long ofPod = crossings() - before;
      knock(node, service, 80, packets);
      knock(node, own, Cluster.WEB_NODE_PORT, packets);
      long ofNode = crossings() - before - ofPod;
      System.out.printf(
          "%d and %d packets, crossings: %d, %d%n", packets, 2 * packets, ofPod, ofNode);
      // Some more may be the kernel's own: multicast of IPv6.
      assertTrue(ofPod < packets / 2, () -> "of a pod: " + ofPod);
      assertTrue(ofNode <= 2 * packets + packets / 2, () -> "of the node: " + ofNode);
    }
  }

  /** Packets that the pair's ends have sent, in either direction. */
  private long crossings() throws IOException {
    long sum = 0;
    for (String end : List.of("gatun0", "gatun0-dp")) {
      String text = node.exec("ip", "-s", "link", "show", end).orThrow().output();
      String sent = text.strip().lines().toList().getLast(); // bytes, packets …
      sum += Long.parseLong(sent.strip().split(" +", -1)[1]);
    }
    return sum;
  }

  private static void knock(Node from, String address, int port, int count) throws IOException {
    from.exec(
            "python3",
            "-c",
            """
            import socket, sys, time
            family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
            for _ in range(int(sys.argv[3])):
                s = socket.socket(family, socket.SOCK_STREAM)
                s.setblocking(False)
                s.connect_ex((sys.argv[1], int(sys.argv[2])))  # one SYN within the time looked at
                time.sleep(.002)
                s.close()
            time.sleep(.1)
            """,
            address,
            Integer.toString(port),
            Integer.toString(count))
        .orThrow();
  }

  private static boolean established(String protocols) {
    return protocols.contains("Established") && protocols.contains("Running");
  }

  private String birdc(String words) throws IOException {
    String socket = folder.resolve(node.name() + ".ctl").toString();
    return node.exec("birdc", "-s", socket, words).output();
  }

  private void bird(Node where, String id, int as, String own, int peerAs, String peer)
      throws IOException {
    Path file = folder.resolve(where.name() + ".conf");
    Files.writeString(
        file,
        """
        router id %s;
        protocol device {}
        protocol bfd { interface "eth0" { interval 300 ms; multiplier 10; }; }
        protocol ospf v2 inside {
          ipv4 { import all; export none; };
          area 0 { interface "eth0" { type ptp; hello 1; dead 10; bfd yes; }; };
        }
        protocol bgp border {
          local %s as %d;
          neighbor %s as %d;
          interface "eth0";
          direct;
          bfd yes;
          ipv6 { import all; export none; };
        }
        """
            .formatted(id, own, as, peer, peerAs));
    where.spawn(
        "bird",
        "bird",
        "-f",
        "-c",
        file.toString(),
        "-s",
        folder.resolve(where.name() + ".ctl").toString());
  }
}
