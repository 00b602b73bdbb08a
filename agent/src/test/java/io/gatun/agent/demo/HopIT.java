package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A good hop between kernels that know nothing of Gatun; the node's kernel may not forward.
 *
 * <pre>
 *                                     ┌ a0 ── a 198.51.100.2 ┐
 *   left 192.0.2.2 ── l0  node (Gatun)├ b0 ── b 198.51.101.2 ├ all: 10.80.0.1
 *                                     └ c0 ── c 198.51.102.2 ┘
 * </pre>
 */
class HopIT {
  private static final int FLOWS = 90;
  private static final List<String> HOPS = List.of("a", "b", "c");

  private Lab lab;
  private Node node;
  private Node left;
  private GatunProcess gatun;

  @BeforeAll
  static void machine() {
    Machine.fit("ping", "python3", "ss", "traceroute");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    lab = Lab.up(runDirectory, "hop", "node", "left", "a", "b", "c");
    try {
      node = lab.node("node");
      left = lab.node("left");
      node.sysctl("net.ipv4.ip_forward", "0");
      for (Node each : lab.nodes()) {
        each.sysctl("net.ipv6.conf.all.accept_dad", "0");
        each.sysctl("net.ipv6.conf.default.accept_dad", "0");
        each.ip("link set lo up");
      }
      Wire.tie(node, "l0", left, "192.0.2", "fd00:2");
      for (int i = 0; i < HOPS.size(); i++) {
        Node hop = lab.node(HOPS.get(i));
        Wire.tie(node, HOPS.get(i) + "0", hop, "198.51." + (100 + i), "fd00:10" + i);
        hop.ip("address add 10.80.0.1/32 dev lo");
      }
      for (String script : List.of("pingpong.py", "sockets.py")) {
        try (InputStream resource = HopIT.class.getResourceAsStream(script)) {
          Files.copy(Objects.requireNonNull(resource), lab.directory().resolve(script));
        }
      }
      gatun =
          Configured.start(
              node,
              """
              apiVersion: gatun.io/v1alpha1
              kind: GatunConfiguration
              nodeAddresses: [192.0.2.1, "fd00:2::1"]
              interfaces:
                - {name: "?0", role: uplink}
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

  private String[] words(String script, String... arguments) {
    List<String> words = new ArrayList<>();
    words.add(Files.isExecutable(Path.of("/usr/bin/python3")) ? "/usr/bin/python3" : "python3");
    words.add(lab.directory().resolve(script).toString());
    words.addAll(List.of(arguments));
    return words.toArray(String[]::new);
  }

  private void ways(String... hops) throws IOException {
    StringBuilder route = new StringBuilder("route replace 10.80.0.0/24");
    for (String hop : hops) {
      route.append(" nexthop via 198.51.").append(100 + HOPS.indexOf(hop)).append(".2");
    }
    node.ip(route.toString());
    await(() -> AdminClient.ask(gatun.runDirectory().socket(), "routes").toString(), hops);
  }

  private interface Text {
    String get() throws IOException;
  }

  /** Until the route has just these ways. */
  private static void await(Text routes, String... hops) throws IOException {
    for (int look = 0; ; look++) {
      String all = routes.get();
      int at = all.indexOf("10.80.0.0/24");
      String route = at < 0 ? "" : all.substring(at, Math.min(all.length(), at + 700));
      int end = route.indexOf("prefix", 10);
      route = end < 0 ? route : route.substring(0, end);
      int there = 0;
      for (int i = 0; i < HOPS.size(); i++) {
        there += route.contains("198.51." + (100 + i) + ".2") ? 1 : 0;
      }
      if (there == hops.length) {
        return;
      }
      assertTrue(look < 400, "not " + List.of(hops) + ": " + route);
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }
  }

  @Test
  void shouldMoveOnlyTheFlowsOfANextHopThatGoes() throws Exception {
    ways("a", "b", "c");
    for (String hop : HOPS) {
      lab.node(hop).spawn("name", words("pingpong.py", "name", hop, "9000"));
    }
    Process asking =
        new ProcessBuilder(
                left.enter(words("pingpong.py", "flows", "10.80.0.1", "9000", "" + FLOWS)))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (PrintWriter ask = new PrintWriter(asking.outputWriter(StandardCharsets.UTF_8), true);
        BufferedReader answers = asking.inputReader(StandardCharsets.UTF_8)) {
      List<String> before = ask(ask, answers);
      assertEquals(Set.copyOf(HOPS), new TreeSet<>(before), "all have some: " + before);
      assertEquals(before, ask(ask, answers), "each flow keeps its way");
      for (String gone : HOPS) {
        ways(HOPS.stream().filter(hop -> !hop.equals(gone)).toArray(String[]::new));
        List<String> after = ask(ask, answers);
        for (int i = 0; i < FLOWS; i++) {
          assertTrue(
              before.get(i).equals(gone) != before.get(i).equals(after.get(i)),
              gone + " went; " + before.get(i) + " became " + after.get(i));
        }
        ways("a", "b", "c");
        before = ask(ask, answers);
        for (int i = 0; i < FLOWS; i++) {
          assertTrue(
              before.get(i).equals(gone) || before.get(i).equals(after.get(i)),
              "one that comes takes flows for itself only");
        }
      }
    } finally {
      asking.destroyForcibly();
    }
  }

  private static List<String> ask(PrintWriter ask, BufferedReader answers) throws IOException {
    ask.println();
    List<String> named = List.of(String.valueOf(answers.readLine()).split(" ", -1));
    assertEquals(FLOWS, named.size());
    return named;
  }

  @Test
  void shouldBeAHopOfTraceroute() throws IOException {
    // The first packet to a neighbour waits for it; traceroute would count that.
    assertTrue(ping("-W", "4", "198.51.100.2").contains("1 received"), gatun.log());
    assertTrue(ping("-W", "4", "fd00:100::2").contains("1 received"), gatun.log());
    trace("-4", "198.51.100.2", "192.0.2.1");
    trace("-6", "fd00:100::2", "fd00:2::1");
  }

  private void trace(String family, String to, String hop) throws IOException {
    String traced =
        left.command("traceroute", family, "-n", "-q", "1", "-N", "1", "-w", "4", "-m", "4", to)
            .within(Duration.ofSeconds(30))
            .run()
            .output();
    List<String> lines = traced.lines().skip(1).map(String::strip).toList();
    assertEquals(2, lines.size(), traced);
    assertTrue(lines.getFirst().startsWith("1  " + hop + " "), traced);
    assertTrue(lines.getLast().startsWith("2  " + to + " "), traced);
  }

  private String ping(String... arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of("ping", "-n", "-c", "1"));
    words.addAll(List.of(arguments));
    return left.exec(words.toArray(String[]::new)).output();
  }

  @Test
  void shouldSayThatNothingLeadsThere() throws IOException {
    node.ip("route add unreachable 10.90.0.0/16");
    node.ip("route add prohibit 10.91.0.0/16");
    node.ip("route add unreachable fd90::/16");
    assertTrue(ping("10.89.0.1").contains("From 192.0.2.1 icmp_seq=1 Destination Net Unreachable"));
    assertTrue(ping("10.90.0.1").contains("Destination Host Unreachable"));
    assertTrue(ping("10.91.0.1").contains("Packet filtered"));
    assertTrue(
        ping("fd90::1").contains("From fd00:2::1 icmp_seq=1 Destination unreachable: No rou"));
    // Nobody has it: after three seconds without an answer.
    assertTrue(ping("-W", "8", "198.51.100.77").contains("Destination Host Unreachable"));
  }

  @Test
  void shouldCutWhatMayBeCut() throws IOException {
    narrow("1000");
    assertTrue(ping("-W", "4", "198.51.100.2").contains("1 received"), gatun.log());
    String whole = ping("-M", "dont", "-s", "1400", "-W", "4", "198.51.100.2");
    assertTrue(whole.contains("1 received"), whole);
    String fragments = ping("-M", "dont", "-s", "20000", "-W", "4", "198.51.100.2");
    assertTrue(fragments.contains("1 received"), fragments);
    String refused = ping("-M", "do", "-s", "1400", "-W", "2", "198.51.100.2");
    assertTrue(refused.contains("mtu = 1000"), refused);
    long made =
        AdminClient.ask(gatun.runDirectory().socket(), "status")
            .get("perWorker")
            .get(0)
            .get("made")
            .asLong();
    assertTrue(made >= 14, "pieces made: " + made);
    Accounts.settled(gatun);
  }

  private void narrow(String mtu) throws IOException {
    node.ip("link set a0 mtu " + mtu);
    lab.node("a").ip("link set eth0 mtu " + mtu);
  }

  @Test
  void shouldLetAKernelsTcpFindThePathMtu() throws Exception {
    narrow("1300");
    // The server announces what an ordinary Ethernet carries, as if the narrow link were not its.
    lab.node("a").ip("route replace default via 198.51.100.1 advmss 1460");
    lab.node("a").ip("route replace default via fd00:100::1 advmss 1440");
    lab.node("a").spawn("serve", words("sockets.py", "serve", "9000"));
    lab.node("a").awaitListening(9000);
    for (String server : List.of("198.51.100.2", "fd00:100::2")) {
      String sent =
          Command.of(left.enter(words("sockets.py", "upload", server, "9000", "1000000")))
              .within(Duration.ofSeconds(60))
              .run()
              .orThrow()
              .output()
              .strip();
      assertEquals("1000000 1300", sent);
    }
  }
}
