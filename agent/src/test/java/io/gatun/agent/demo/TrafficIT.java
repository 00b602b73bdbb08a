package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.lab.Node;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.Transfer;
import io.gatun.lab.demo.Withdrawal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real traffic through Gatun on two nodes whose kernels may not forward. */
class TrafficIT {

  private static final long GIGABYTE = 1_000_000_000;
  private static final Duration READY = Duration.ofSeconds(60);

  private final List<GatunProcess> running = new ArrayList<>();
  private TwoNodes topology;

  @BeforeAll
  static void machine() {
    Machine.fit("curl", "nstat", "python3", "ss", "dnsmasq", "iperf3");
  }

  private void start(int workers) throws IOException {
    Path manifests = Cluster.writeManifests(topology);
    for (Node node : topology.nodes()) {
      Path config = Cluster.writeConfiguration(topology, node);
      Files.writeString(config, Files.readString(config).replace("count: 1", "count: " + workers));
      running.add(GatunProcess.start(node, config, manifests));
    }
    for (GatunProcess gatun : running) {
      gatun.awaitReady(READY);
    }
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "traffic");
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  @Test
  void shouldCarryAGigabyteIntactBothWays() throws IOException {
    start(1);
    Transfer.serve(topology);
    Transfer transfer =
        Transfer.through(topology, topology.pod("client-a"), Cluster.BULK, GIGABYTE);
    System.out.println(transfer);
    assertTrue(transfer.intact(), transfer::toString);
    // Nobody else can have done the work: no kernel on the way may forward, and none has.
    for (Node node : topology.nodes()) {
      assertEquals("0", node.sysctl("net.ipv4.ip_forward"));
      assertEquals("0", node.sysctl("net.ipv6.conf.all.forwarding"));
    }
    for (Node node : topology.lab().nodes()) {
      assertEquals(
          Map.of("IpForwDatagrams", 0L, "Ip6OutForwDatagrams", 0L),
          counters(node, "Ip.*ForwDatagrams"),
          node.name());
      assertEquals(
          List.of(),
          counters(node, ".*CsumErrors").entrySet().stream()
              .filter(counter -> counter.getValue() != 0)
              .toList(),
          node.name());
    }
    for (GatunProcess gatun : running) {
      Accounts accounts = Accounts.settled(gatun);
      System.out.println(accounts);
      assertTrue(accounts.framesIn() > GIGABYTE / 1500, accounts::toString);
    }
  }

  private static Map<String, Long> counters(Node node, String pattern) throws IOException {
    return node.exec("nstat", "-asz")
        .orThrow()
        .output()
        .lines()
        .map(line -> line.strip().split("\\s+", -1))
        .filter(words -> words[0].matches(pattern))
        .collect(Collectors.toMap(words -> words[0], words -> Long.valueOf(words[1])));
  }

  @Test
  void shouldLoseNoFrameBetweenWorkers() throws IOException {
    start(2);
    Transfer.serve(topology);
    Transfer transfer =
        Transfer.through(topology, topology.pod("client-a"), Cluster.BULK, GIGABYTE / 50);
    assertTrue(transfer.intact(), transfer::toString);
    for (GatunProcess gatun : running) {
      Accounts accounts = Accounts.settled(gatun);
      System.out.println(accounts);
      assertTrue(accounts.handedOff() > 1000, accounts::toString);
    }
  }

  @Test
  void shouldGiveNoNewConnectionToAnEndpointThatLeft() throws IOException {
    start(1);
    Withdrawal.serve(topology);
    Withdrawal withdrawal =
        Withdrawal.of(topology, topology.pod("client-a"), Duration.ofMillis(100));
    assertTrue(withdrawal.graceful(), withdrawal::toString);
    // Many small connections: resets and drops may be among them, and are counted too.
    for (GatunProcess gatun : running) {
      System.out.println(Accounts.settled(gatun));
    }
  }
}
