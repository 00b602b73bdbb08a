package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.control.document.Prefix;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the daemon says of the kernel's routes and policy rules, beside {@code ip}. Nothing answers
 * on its two ports; {@code d0} is none of them.
 */
class KernelTablesIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int ROUTES = Integer.getInteger("gatun.routes", 10_000);
  private static final JsonMapper JSON = new JsonMapper();
  private static final String WARNING = " is not obeyed: ";

  private Lab lab;
  private Node node;
  private GatunProcess gatun;

  @BeforeAll
  static void machine() {
    Machine.fit("ip");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    lab = Lab.up(runDirectory, "tables", "node", "peer");
    try {
      node = lab.node("node");
      String peer = lab.node("peer").namespace();
      batch(
          List.of(
              "link set lo up",
              "link add d0 type veth peer name d0 netns " + peer,
              "link add l0 numrxqueues 1 numtxqueues 1 type veth peer name l0 netns " + peer,
              "link add r0 numrxqueues 1 numtxqueues 1 type veth peer name r0 netns " + peer,
              "address add 192.0.2.1/24 dev l0",
              "address add fd00:2::1/64 dev l0 nodad",
              "address add 198.51.100.1/24 dev r0",
              "address add fd00:3::1/64 dev r0 nodad",
              "address add 203.0.113.1/24 dev d0",
              "link set d0 up",
              "link set l0 up",
              "link set r0 up",
              "neighbour add 192.0.2.77 lladdr 02:00:00:00:00:77 dev l0 nud permanent",
              "rule add pref 500 from 10.1.0.0/16 lookup 100"));
      for (String device : List.of("l0", "r0", "d0")) {
        lab.node("peer").ip("link set " + device + " up");
      }
      gatun =
          Configured.start(
              node,
              """
              apiVersion: gatun.io/v1alpha1
              kind: GatunConfiguration
              nodeAddresses: [192.0.2.1, "fd00:2::1"]
              interfaces:
                - {name: l0, role: uplink}
                - {name: r0, role: uplink}
              workers: {count: 1, idle: adaptive}
              """,
              lab.directory().resolve("objects"));
    } catch (IOException | RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  @AfterEach
  void down() throws IOException {
    lab.close();
  }

  /** {@code options} before all lines: those of a rule do not say their family. */
  private void batch(List<String> lines, String... options) throws IOException {
    Path file = Files.write(lab.directory().resolve("batch"), lines);
    List<String> words = new ArrayList<>(List.of("ip"));
    words.addAll(List.of(options));
    words.addAll(List.of("-batch", file.toString()));
    node.command(words.toArray(String[]::new)).within(PATIENCE).run().orThrow();
  }

  // Routes.

  /** One route each to as many prefixes, and some with another metric beside it. */
  private static List<String> routes(Random random, int size) {
    Map<Prefix, String> lines = new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
    while (lines.size() < size) {
      boolean six = random.nextInt(4) == 0;
      Prefix to = six ? prefix(random, 16, 0xFD, 16) : prefix(random, 4, 10, 8);
      lines.computeIfAbsent(to, prefix -> line(random, six, prefix, 1 + random.nextInt(3)));
      String line = lines.getOrDefault(to, "");
      if (random.nextInt(8) == 0 && !line.contains("\n")) {
        lines.put(to, line + "\n" + line(random, six, to, 4 + random.nextInt(9)));
      }
    }
    return new ArrayList<>(lines.values());
  }

  private static Prefix prefix(Random random, int bytes, int first, int shortest) {
    byte[] address = new byte[bytes];
    random.nextBytes(address);
    address[0] = (byte) first;
    if (bytes == 16) {
      address[1] = 0x10; // beside the networks of the ports
    }
    int length = shortest + random.nextInt(bytes * 8 - shortest + 1);
    try {
      return new Prefix(InetAddress.getByAddress(address), length);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static String line(Random random, boolean six, Prefix to, int metric) {
    String left = (six ? "fd00:2::" : "192.0.2.") + (2 + random.nextInt(40));
    String right = (six ? "fd00:3::" : "198.51.100.") + (2 + random.nextInt(40));
    String way =
        switch (random.nextInt(12)) {
          case 0 -> "dev l0";
          case 1 -> "dev d0";
          case 2 -> "nexthop via " + left + " weight 2 nexthop via " + right;
          case 3 -> "via inet6 fe80::" + (2 + random.nextInt(9)) + " dev r0";
          case 4, 5, 6 -> "via " + right;
          default -> "via " + left;
        };
    String type =
        switch (random.nextInt(40)) {
          case 0 -> "blackhole ";
          case 1 -> "unreachable ";
          case 2 -> "prohibit ";
          default -> "";
        };
    return "route add " + type + to + " metric " + metric + " " + (type.isEmpty() ? way : "");
  }

  /** By prefix: what becomes of packets, metric, and each gateway with its device. */
  private Map<String, String> kernels() throws IOException {
    Map<String, String> all = new TreeMap<>();
    Map<String, Long> metrics = new TreeMap<>();
    for (String family : List.of("-4", "-6")) {
      String text =
          node.command("ip", "-j", family, "route", "show", "table", "main")
              .within(PATIENCE)
              .run()
              .orThrow()
              .output();
      for (JsonNode route : JSON.readTree(text)) {
        Prefix to = to(route.get("dst").asText(), family.equals("-6"));
        long metric = route.path("metric").asLong();
        // fe80::/64 is the kernel's alone.
        if (!(family.equals("-6") && to.address().isLinkLocalAddress())
            && metric < metrics.getOrDefault(to.toString(), Long.MAX_VALUE)) {
          metrics.put(to.toString(), metric);
          all.put(to.toString(), kernels(route, metric));
        }
      }
    }
    return all;
  }

  private static Prefix to(String text, boolean six) throws IOException {
    String all = text.equals("default") ? (six ? "::/0" : "0.0.0.0/0") : text;
    int slash = all.indexOf('/');
    InetAddress address = InetAddress.ofLiteral(slash < 0 ? all : all.substring(0, slash));
    int whole = address.getAddress().length * 8;
    return new Prefix(address, slash < 0 ? whole : Integer.parseInt(all.substring(slash + 1)));
  }

  private static String kernels(JsonNode route, long metric) {
    String type = route.path("type").asText("unicast");
    JsonNode hops = route.path("nexthops");
    List<String> ways =
        hops.isEmpty()
            ? List.of(way(route))
            : StreamSupport.stream(hops.spliterator(), false)
                .map(KernelTablesIT::way)
                .sorted()
                .toList();
    boolean ours = ways.stream().noneMatch(way -> way.endsWith("d0"));
    return type.equals("unicast")
        ? "%s metric %d %s".formatted(ours ? "forward" : "kernel", metric, ways)
        : "%s metric %d []".formatted(type, metric);
  }

  private static String way(JsonNode hop) {
    String gateway = hop.path("gateway").asText(hop.path("via").path("host").asText());
    return gateway + " " + hop.path("dev").asText();
  }

  private Map<String, String> ours() throws IOException {
    Map<String, String> all = new TreeMap<>();
    for (JsonNode row : AdminClient.ask(gatun.runDirectory().socket(), "routes")) {
      String kind = row.get("kind").asText().replace("prohibited", "prohibit");
      String[] via = row.get("via").asText().split("\\|", -1);
      String[] dev = row.get("dev").asText().split("\\|", -1);
      List<String> ways = new ArrayList<>();
      for (int i = 0; i < dev.length && !dev[i].isEmpty(); i++) {
        ways.add((via.length == dev.length ? via[i] : "") + " " + dev[i]);
      }
      ways.sort(null);
      if (!kind.equals("local")) {
        all.put(
            row.get("prefix").asText(),
            "%s metric %d %s".formatted(kind, row.get("metric").asLong(), ways));
      }
    }
    return all;
  }

  /** Waits until both say the same, but for the neighbour, which is a route to us alone. */
  private void awaitSame(long seed) throws Exception {
    Map<String, String> kernels = kernels();
    kernels.put("192.0.2.77/32", "forward metric 0 [ l0]");
    Map<String, String> ours = ours();
    for (int i = 0; !ours.equals(kernels) && i < 300; i++) {
      Thread.sleep(100);
      ours = ours();
    }
    List<String> different = new ArrayList<>();
    for (String prefix : kernels.keySet()) {
      String said = ours.remove(prefix);
      if (!kernels.get(prefix).equals(said)) {
        different.add("%s: ip %s, gatun %s".formatted(prefix, kernels.get(prefix), said));
      }
    }
    ours.forEach((prefix, said) -> different.add(prefix + ": gatun alone " + said));
    assertEquals(List.of(), different.stream().limit(10).toList(), "seed " + seed);
  }

  @Test
  void shouldSayOfRandomRoutesWhatIpSays() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<String> lines = routes(random, ROUTES);
    batch(lines);
    long start = System.nanoTime();
    awaitSame(seed);
    List<String> changes = new ArrayList<>();
    for (String line : lines) {
      String first = line.lines().findFirst().orElseThrow();
      String[] words = first.split(" metric ", 2);
      int chance = random.nextInt(6);
      if (chance < 2) {
        changes.add(first.replace("route add", "route del"));
      } else if (chance == 2) {
        boolean six = words[0].contains(":");
        Prefix to = to(words[0].substring(words[0].lastIndexOf(' ') + 1), six);
        changes.add(line(random, six, to, 0).replace("metric 0", "metric 20"));
      }
    }
    batch(changes);
    awaitSame(seed);
    System.out.printf(
        "%d routes and %d changes as ip has them, compared in %d ms%n",
        ROUTES, changes.size(), (System.nanoTime() - start) / 1_000_000);
  }

  // Policy rules.

  private List<String> warnings() throws IOException {
    return gatun.log().lines().filter(line -> line.contains(WARNING)).toList();
  }

  private void awaitWarning(String rule) throws Exception {
    Predicate<String> said = log -> log.contains(rule + WARNING);
    Await.answer("warning of " + rule, PATIENCE, gatun::log, said);
  }

  @Test
  void shouldWarnOnceOfEachRuleThatItDoesNotObey() throws Exception {
    awaitWarning("ip rule 500: from 10.1.0.0/16 lookup 100");
    batch(List.of("rule add pref 501 to fd00:9::/48 unreachable"), "-6");
    batch(
        List.of(
            "rule add pref 502 ipproto tcp dport 80 lookup 100",
            "rule add pref 502 ipproto tcp dport 81 lookup 100",
            "rule add pref 503 not from all fwmark 0xca6c lookup 51820",
            "rule add pref 504 lookup main suppress_prefixlength 0"));
    List<String> rules =
        List.of(
            "ip -6 rule 501: from all to fd00:9::/48 unreachable",
            "ip rule 502: from all ipproto tcp dport 80 lookup 100",
            "ip rule 502: from all ipproto tcp dport 81 lookup 100",
            "ip rule 503: not from all fwmark 0xca6c lookup 51820",
            "ip rule 504: from all suppress_prefixlength 0 lookup 254");
    for (String rule : rules) {
      awaitWarning(rule);
    }
    // Gone and come again, by messages and, after a link went down, in a dump of all tables.
    for (String link : List.of("down", "up")) {
      batch(List.of("rule del pref 501"), "-6");
      batch(
          List.of(
              "rule del pref 500",
              "link set d0 " + link,
              "rule add pref 500 from 10.1.0.0/16 lookup 100"));
      batch(List.of("rule add pref 501 to fd00:9::/48 unreachable"), "-6");
      Thread.sleep(500);
    }
    batch(List.of("rule add pref 505 iif d0 lookup 100"));
    awaitWarning("ip rule 505: from all iif d0 lookup 100");
    String all = node.exec("ip", "rule").orThrow().output();
    assertTrue(all.contains("lookup main") && all.contains("100:"), "ours is there: " + all);
    assertEquals(rules.size() + 2, warnings().size(), () -> "one each, none of ours");
  }
}
