package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What programs the kernel while the daemon runs, {@code ip} and BIRD, programs the data path.
 *
 * <pre>
 *   left 192.0.2.2 ── l0 node (Gatun, kernel may not forward) r0 ── 198.51.100.2 right
 * </pre>
 */
class LiveTablesIT {
  private static final int MANY = 100_000;

  private Lab lab;
  private Node node;
  private Node left;
  private Node right;
  private GatunProcess gatun;

  @BeforeAll
  static void machine() {
    Machine.fit("ping", "bird");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    lab = Lab.up(runDirectory, "live", "node", "left", "right", "pod");
    try {
      node = lab.node("node");
      left = lab.node("left");
      right = lab.node("right");
      node.sysctl("net.ipv4.ip_forward", "0");
      Wire.tie(node, "l0", left, "192.0.2");
      Wire.tie(node, "r0", right, "198.51.100");
      for (String network : List.of("10.50.0.1", "10.60.0.1", "10.70.0.1")) {
        right.ip("address add " + network + "/32 dev lo");
      }
      node.ip("route add 10.70.0.0/24 via 198.51.100.2");
      node.ip("address add 169.254.1.1/32 dev lo scope host"); // the pods' gateway
      gatun =
          Configured.start(
              node,
              """
              apiVersion: gatun.io/v1alpha1
              kind: GatunConfiguration
              interfaces:
                - {name: l0, role: uplink}
                - {name: r0, role: uplink}
                - {name: "cali*", role: pod}
              workers: {count: 1, idle: adaptive}
              proxy: {iptables: {masqueradeAll: true}}
              """,
              lab.directory().resolve("manifests"));
    } catch (IOException | RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  @AfterEach
  void down() throws IOException {
    lab.close();
  }

  private static boolean ping(Node from, String address) throws IOException {
    return from.exec("ping", "-n", "-c", "1", "-W", "4", address).succeeded();
  }

  /** Seconds since 1970 of each echo reply, by ping's own clock. */
  private static List<Double> replies(Command.Outcome ping) {
    Matcher matcher = Pattern.compile("(?m)^\\[([0-9.]+)\\].*bytes from").matcher(ping.output());
    List<Double> times = new ArrayList<>();
    while (matcher.find()) {
      times.add(Double.valueOf(matcher.group(1)));
    }
    return times;
  }

  private static double now() {
    return System.currentTimeMillis() / 1000.0;
  }

  private interface Step {
    void run() throws Exception;
  }

  /**
   * Milliseconds until the first reply after {@code on}, and until the last after {@code off}; each
   * counted from the moment when the command had ended.
   */
  private double[] liveAfter(String address, Step on, Step off) throws Exception {
    // Not by -w: with it the first "unreachable" would be the end.
    var pinging =
        new FutureTask<>(() ->
            left.command("timeout", "-s", "INT", "6", "ping", "-n", "-D", "-i", "0.002", address)
                .within(Duration.ofSeconds(20))
                .run());
    Thread.ofPlatform().start(pinging);
    Thread.sleep(1500);
    double beforeOn = now();
    on.run();
    double turnedOn = now();
    Thread.sleep(2000);
    off.run();
    double turnedOff = now();
    List<Double> times = replies(pinging.get(30, TimeUnit.SECONDS));
    double first = times.stream().filter(t -> t > beforeOn).findFirst().orElseThrow();
    double last = times.getLast();
    assertTrue(times.getFirst() >= beforeOn, "replies before there was a route");
    return new double[] {(first - turnedOn) * 1000, (last - turnedOff) * 1000};
  }

  /** Ports that lead to pods. */
  private int pods() throws IOException {
    int pods = 0;
    for (JsonNode port : ask("ports")) {
      pods += port.get("role").asText().equals("pod") ? 1 : 0;
    }
    return pods;
  }

  private JsonNode ask(String report) throws IOException {
    return AdminClient.ask(gatun.runDirectory().socket(), report);
  }

  @Test
  void shouldFollowRoutesWithoutDelay() throws Exception {
    assertTrue(ping(left, "10.70.0.1")); // the first packet waits for the neighbour
    double[] millis =
        liveAfter(
            "10.50.0.1",
            () -> node.ip("route add 10.50.0.0/24 via 198.51.100.2"),
            () -> node.ip("route del 10.50.0.0/24"));
    System.out.printf("ip route: live after %.1f ms, gone after %.1f ms%n", millis[0], millis[1]);
    assertTrue(millis[0] < 1000 && millis[1] < 1000); // CI's machine is busy; 50 is the aim
  }

  @Test
  void shouldFollowNeighboursWithoutDelay() throws Exception {
    assertTrue(ping(left, "10.70.0.1"));
    String neighbour = "neigh replace 198.51.100.2 dev r0 nud permanent lladdr ";
    Matcher link =
        Pattern.compile("link/ether (\\S+)")
            .matcher(right.exec("ip", "-o", "link", "show", "eth0").orThrow().output());
    assertTrue(link.find());
    String mac = link.group(1);
    Step away = () -> node.ip(neighbour + "02:00:00:00:00:99"); // nobody's
    away.run();
    awaitSilence("10.70.0.1");
    double[] millis = liveAfter("10.70.0.1", () -> node.ip(neighbour + mac), away);
    System.out.printf("ip neigh: live after %.1f ms, gone after %.1f ms%n", millis[0], millis[1]);
    assertTrue(millis[0] < 1000 && millis[1] < 1000); // CI's machine is busy; 50 is the aim
  }

  /** A pod on a bridge that the bridge is told to be behind another port, whatever it hears. */
  @Test
  void shouldFollowForwardingEntriesWithoutDelay() throws Exception {
    Node pod = lab.node("pod");
    String mac = "02:00:00:00:08:02";
    node.ip("link add br0 type bridge");
    node.ip("address add 10.8.0.1/24 dev br0");
    node.ip("link set br0 up");
    for (String name : List.of("cali8", "cali9")) {
      node.ip("link add " + name + " type veth peer name e" + name + " netns " + pod.namespace());
      node.ip("link set " + name + " master br0 up");
      pod.ip("link set e" + name + " up");
    }
    pod.ip("link set ecali8 address " + mac);
    pod.ip("address add 10.8.0.2/24 dev ecali8");
    pod.ip("route add default via 10.8.0.1");
    node.ip("neigh replace 10.8.0.2 dev br0 nud permanent lladdr " + mac);
    for (int i = 0; pods() != 2 || !ping(left, "10.8.0.2"); i++) {
      assertTrue(i < 100, gatun.log());
      Thread.sleep(50);
    }
    Step away = () -> fdb("replace", mac, "dev", "cali9", "master", "static", "sticky");
    away.run();
    awaitSilence("10.8.0.2");
    double[] millis =
        liveAfter(
            "10.8.0.2",
            () -> fdb("replace", mac, "dev", "cali8", "master", "static", "sticky"),
            away);
    System.out.printf("bridge fdb: live after %.1f ms, gone after %.1f ms%n", millis[0], millis[1]);
    assertTrue(millis[0] < 1000 && millis[1] < 1000); // CI's machine is busy; 50 is the aim
  }

  private void awaitSilence(String address) throws Exception {
    for (int i = 0; left.exec("ping", "-n", "-c", "1", "-W", "0.3", address).succeeded(); i++) {
      assertTrue(i < 50, gatun.log());
      Thread.sleep(20);
    }
  }

  private void fdb(String... words) throws IOException {
    List<String> all = new ArrayList<>(List.of("bridge", "fdb"));
    all.addAll(List.of(words));
    node.exec(all.toArray(String[]::new)).orThrow();
  }

  private static final String SERVICE =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: mirror, namespace: default}
      spec: {clusterIP: 10.96.7.7, ports: [{name: u, protocol: UDP, port: 7}]}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata:
        name: mirror-1
        namespace: default
        labels: {kubernetes.io/service-name: mirror}
      addressType: IPv4
      ports: [{name: u, protocol: UDP, port: 7}]
      endpoints: [{addresses: [10.50.0.1]}]
      """;

  /** Where a masqueraded datagram comes from, as the endpoint sees it. */
  private String seen() throws IOException {
    return left.exec(
            "python3",
            "-c",
            """
            import socket
            for _ in range(40):
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(.25)
                s.sendto(b'x', ('10.96.7.7', 7))
                try:
                    print(s.recv(100).decode())
                    break
                except OSError:
                    pass
            """)
        .output()
        .strip();
  }

  @Test
  void shouldMasqueradeFromTheAddressOfTheWayOut() throws Exception {
    right.spawn(
        "mirror",
        "python3",
        "-c",
        """
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(('10.50.0.1', 7))
        while True:
            peer = s.recvfrom(100)[1]
            s.sendto(peer[0].encode(), peer)
        """);
    Files.writeString(lab.directory().resolve("manifests").resolve("mirror.yaml"), SERVICE);
    node.ip("route add 10.50.0.0/24 via 198.51.100.2");
    assertEquals("198.51.100.1", seen(), "the device's");
    node.ip("route replace 10.50.0.0/24 via 198.51.100.2 src 192.0.2.1");
    for (int i = 0; !seen().equals("192.0.2.1"); i++) {
      assertTrue(i < 50, "what the route says");
      Thread.sleep(20);
    }
  }

  @Test
  void shouldTakeInterfacesWhenTheyComeAndGiveThemUpWhenTheyGo() throws Exception {
    Node pod = lab.node("pod");
    for (int round = 0; round < 2; round++) {
      long start = System.nanoTime();
      node.ip("link add cali1 type veth peer name eth0 netns " + pod.namespace());
      pod.ip("address add 10.9.0.2/32 dev eth0");
      pod.ip("link set eth0 up");
      pod.ip("route add default via 169.254.1.1 dev eth0 onlink");
      node.ip("link set cali1 up");
      node.ip("route add 10.9.0.2/32 dev cali1");
      while (!ping(left, "10.9.0.2")) {
        assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(60), gatun.log());
      }
      System.out.printf(
          "pod reached %d ms after its interface was made%n",
          TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
      assertEquals(1, pods());
      node.ip("link del cali1");
      for (int i = 0; pods() != 0; i++) {
        assertTrue(i < 200, gatun.log());
        Thread.sleep(50);
      }
    }
    assertTrue(ping(left, "10.70.0.1"));
  }

  @Test
  void shouldFollowBirdAndTakeAHundredThousandRoutesAtOnce() throws Exception {
    bird(node, "198.51.100.1", "198.51.100.2", 65001, 65002, "");
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < MANY; i++) {
      many.append(
          "route 100.%d.%d.%d/32 blackhole;\n".formatted(64 + i / 65536, i / 256 % 256, i % 256));
    }
    bird(
        right,
        "198.51.100.2",
        "198.51.100.1",
        65002,
        65001,
        "protocol static one { disabled yes; ipv4; route 10.60.0.0/24 blackhole; }\n"
            + "protocol static many { disabled yes; ipv4; "
            + many
            + "}\n");
    for (int i = 0; !birdc(right, "show protocols bgp1").contains("Established"); i++) {
      assertTrue(i < 300, birdc(right, "show protocols all bgp1"));
      Thread.sleep(100);
    }
    assertTrue(ping(left, "10.70.0.1"));
    double[] millis =
        liveAfter("10.60.0.1", () -> birdc(right, "enable one"), () -> birdc(right, "disable one"));
    System.out.printf("BGP route: live after %.1f ms, gone after %.1f ms%n", millis[0], millis[1]);

    int routes = ask("status").get("routes").asInt();
    var pinging =
        new FutureTask<>(() ->
            left.command("ping", "-n", "-q", "-i", "0.005", "-w", "20", "10.70.0.1")
                .within(Duration.ofSeconds(40))
                .run());
    Thread.ofPlatform().start(pinging);
    long start = System.nanoTime();
    birdc(right, "enable many");
    while (ask("status").get("routes").asInt() < routes + MANY) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(60), gatun.log());
      Thread.sleep(20);
    }
    long added = System.nanoTime() - start;
    start = System.nanoTime();
    birdc(right, "disable many");
    while (ask("status").get("routes").asInt() > routes) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(60), gatun.log());
      Thread.sleep(20);
    }
    long removed = System.nanoTime() - start;
    String summary = pinging.get(60, TimeUnit.SECONDS).output();
    System.out.printf(
        "%d routes by BGP in %d ms, gone in %d ms; meanwhile: %s%n",
        MANY,
        TimeUnit.NANOSECONDS.toMillis(added),
        TimeUnit.NANOSECONDS.toMillis(removed),
        summary.lines().filter(line -> line.contains("loss")).findFirst().orElse("?"));
    Matcher counts =
        Pattern.compile("(\\d+) packets transmitted, (\\d+) received").matcher(summary);
    assertTrue(counts.find(), summary);
    // The last one may still be under way when ping ends.
    assertTrue(Integer.parseInt(counts.group(1)) - Integer.parseInt(counts.group(2)) <= 1, summary);
  }

  private static void bird(
      Node where, String own, String other, int ownAs, int otherAs, String more)
      throws IOException {
    Files.createDirectories(where.runDirectory());
    Path config = where.runDirectory().resolve("bird.conf");
    Files.writeString(
        config,
        """
        router id %s;
        protocol device {}
        protocol kernel { ipv4 { export where source = RTS_BGP; import none; }; }
        protocol bgp bgp1 {
          local %s as %d; neighbor %s as %d; connect retry time 1; connect delay time 1;
          ipv4 { import all; export where source = RTS_STATIC; next hop self; };
        }
        %s
        """
            .formatted(own, own, ownAs, other, otherAs, more));
    where.spawn(
        "bird",
        "bird",
        "-f",
        "-c",
        config.toString(),
        "-s",
        where.runDirectory().resolve("bird.ctl").toString(),
        "-P",
        where.runDirectory().resolve("bird.pid").toString());
  }

  private static String birdc(Node where, String command) throws IOException {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("birdc", "-s", where.runDirectory().resolve("bird.ctl").toString()));
    words.addAll(List.of(command.split(" ", -1)));
    return Command.of(words).run().output();
  }
}
