package io.gatun.lab.demo;

import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.Overlay;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Report.Seen;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The traffic of the demonstration, one method a check; each says what it saw. */
final class Checks {

  /** All 30 at one of two endpoints by chance: 2 in 2^30. */
  private static final int REQUESTS = 30;

  private static final int PINGS = 5;
  private static final Duration STREAM_TIME = Duration.ofSeconds(3);

  /** The rate the receiver measured: the number in the object {@code sum_received}. */
  private static final Pattern RECEIVED_RATE =
      Pattern.compile("\"sum_received\":\\s*\\{[^}]*\"bits_per_second\":\\s*([0-9.eE+]+)");

  private final TwoNodes topology;

  Checks(TwoNodes topology) {
    this.topology = topology;
  }

  void run(Report report) {
    Pod clientA = topology.pod("client-a");
    Pod clientB = topology.pod("client-b");
    Pod web1 = topology.pod("web-1");
    Pod web2 = topology.pod("web-2");
    String service = "http://" + Cluster.WEB + "/";
    report.check("ping pod to pod, same node", () -> ping(clientA, web1.address()));
    report.check("ping pod to pod, across nodes", () -> ping(clientA, web2.address()));
    report.check("ping pod to pod, across nodes, IPv6", () -> ping(clientA, web2.address6()));
    for (Pod client : List.of(clientA, clientB)) {
      report.check(
          "curl ClusterIP from " + client.name() + " on " + client.host().name(),
          () -> bothAnswer(curl(client.node(), service), Set.of(client.address())));
    }
    report.check(
        "curl ClusterIP from client-a, IPv6",
        () ->
            bothAnswer(
                curl(clientA.node(), "http://[" + Cluster.WEB6 + "]/"),
                Set.of(clientA.address6())));
    report.check("curl own Service from web-1 (hairpin)", () -> hairpin(web1));
    for (Node node : topology.nodes()) {
      String address = topology.address(node);
      report.check(
          "curl NodePort of " + node.name() + " from outside",
          () ->
              bothAnswer(
                  curl(topology.outside(), "http://" + address + ":" + Cluster.WEB_NODE_PORT + "/"),
                  masqueraded(node)));
    }
    for (Node node : topology.nodes()) {
      report.check(
          "curl ClusterIP from " + node.name() + " itself",
          () -> bothAnswer(curl(node, service), masqueraded(node)));
    }
    String own = topology.address(topology.nodeA());
    report.check(
        "curl its own NodePort from node-a",
        () ->
            bothAnswer(
                curl(topology.nodeA(), "http://" + own + ":" + Cluster.WEB_NODE_PORT + "/"),
                masqueraded(topology.nodeA())));
    for (Pod client : List.of(clientA, clientB)) {
      report.check(
          "dig over UDP from " + client.name() + " on " + client.host().name(), () -> dig(client));
    }
    report.check("TCP stream across nodes", () -> stream(clientA));
    report.check("checksum errors counted by the kernels", this::checksums);
    report.check("forwarded by the nodes' kernels", this::forwarded);
  }

  /** Whom requests reached, and from which addresses they seemed to come. */
  private record Answers(Map<String, Integer> byEndpoint, Set<String> clients, int failed) {
    @Override
    public String toString() {
      var text = new StringBuilder();
      byEndpoint.forEach((pod, count) -> text.append(pod).append(" ×").append(count).append(", "));
      if (failed > 0) {
        text.append("failed ×").append(failed).append(", ");
      }
      return text + "client seen as " + String.join(" and ", clients);
    }
  }

  private static Answers curl(Node node, String url) throws IOException {
    // A new process and so a new connection each; the first that gets no answer is the last.
    String script =
        "i=0; while [ $i -lt %d ]; do curl -sS -g --max-time 3 '%s' || { echo '!'; break; }; i=$((i+1)); done"
            .formatted(REQUESTS, url);
    Command.Outcome outcome = node.exec("sh", "-c", script).orThrow();
    Map<String, Integer> byEndpoint = new TreeMap<>();
    Set<String> clients = new TreeSet<>();
    int failed = 0;
    for (String line : outcome.output().lines().toList()) {
      String[] words = line.split(" ", -1);
      if (words.length == 2) {
        byEndpoint.merge(words[0], 1, Integer::sum);
        clients.add(words[1]);
      } else {
        failed++;
      }
    }
    if (byEndpoint.isEmpty()) {
      throw new IOException("no answer: " + outcome.errors().strip());
    }
    return new Answers(byEndpoint, clients, failed);
  }

  /** As the kernel's masquerade: the address of the way out, which may be the overlay's device. */
  private Set<String> masqueraded(Node node) {
    return Set.of(topology.address(node), Overlay.FLANNEL.vtep(topology, node));
  }

  private static Seen bothAnswer(Answers answers, Set<String> clients) throws IOException {
    Set<String> expected =
        clients.stream().map(Checks::canonical).collect(Collectors.toCollection(TreeSet::new));
    boolean clientAsExpected =
        answers.clients().stream().map(Checks::canonical).allMatch(expected::contains);
    boolean holds =
        answers.failed() == 0
            && answers.byEndpoint().keySet().equals(Set.of("web-1", "web-2"))
            && clientAsExpected;
    return new Seen(
        holds, answers + (clientAsExpected ? "" : ", expected " + String.join(" or ", expected)));
  }

  /** Itself it reaches from the node's address: an answer to its own would never leave the pod. */
  private Seen hairpin(Pod web) throws IOException {
    Answers answers = curl(web.node(), "http://" + Cluster.WEB + "/");
    return new Seen(
        answers.failed() == 0
            && answers.byEndpoint().keySet().equals(Set.of("web-1", "web-2"))
            && answers.clients().equals(Set.of(web.address(), topology.address(web.host()))),
        answers.toString());
  }

  private Seen ping(Pod from, String address) throws IOException {
    String[] words = Servers.pythonWords(topology, "ping", address, Integer.toString(PINGS));
    String[] numbers = from.node().exec(words).orThrow().output().strip().split(" ", -1);
    return new Seen(
        numbers[0].equals(numbers[1]),
        "%s of %s answered, %s µs".formatted(numbers[0], numbers[1], numbers[2]));
  }

  private static Seen dig(Pod from) throws IOException {
    Command.Outcome outcome =
        from.node()
            .exec("dig", "+short", "+tries=2", "+time=2", "@" + Cluster.DNS, Servers.NAME, "A");
    String answer = outcome.output().strip();
    return new Seen(
        outcome.succeeded() && answer.equals(Servers.NAME_ADDRESS), Servers.NAME + " is " + answer);
  }

  private static Seen stream(Pod from) throws IOException {
    String time = Long.toString(STREAM_TIME.toSeconds());
    Command.Outcome outcome =
        from.node()
            .exec("iperf3", "-c", Cluster.STREAM, "-t", time, "--connect-timeout", "3000", "-J");
    Matcher rate = RECEIVED_RATE.matcher(outcome.output());
    if (!outcome.succeeded() || !rate.find()) {
      Matcher error = Pattern.compile("\"error\":\\s*\"([^\"]*)\"").matcher(outcome.output());
      throw new IOException(error.find() ? error.group(1) : "no rate: " + outcome.errors());
    }
    double gigabits = Double.parseDouble(rate.group(1)) / 1e9;
    return new Seen(
        gigabits > 0, String.format(Locale.ROOT, "%.2f Gbit/s for %s s", gigabits, time));
  }

  private Seen checksums() throws IOException {
    long errors = 0;
    for (Node node : topology.lab().nodes()) {
      errors += Counters.of(node).checksumErrors();
    }
    return new Seen(errors == 0, errors + " in " + topology.lab().nodes().size() + " namespaces");
  }

  private Seen forwarded() throws IOException {
    long packets = 0;
    boolean mayForward = false;
    for (Node node : topology.nodes()) {
      packets += Counters.of(node).forwarded();
      mayForward |= !node.sysctl("net.ipv4.ip_forward").equals("0");
    }
    return new Seen(
        packets == 0 && !mayForward, packets + " packets, ip_forward " + (mayForward ? "1" : "0"));
  }

  private static String canonical(String address) {
    return InetAddress.ofLiteral(address).getHostAddress();
  }
}
