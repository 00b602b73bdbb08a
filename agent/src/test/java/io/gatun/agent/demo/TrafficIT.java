package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.lab.Node;
import io.gatun.lab.Snapshot;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.Transfer;
import io.gatun.lab.demo.Withdrawal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real traffic through Gatun on two nodes whose kernels may not forward. */
class TrafficIT {

  private static final long GIGABYTE = 1_000_000_000;
  private static final Duration READY = Duration.ofSeconds(20);

  private final List<GatunProcess> running = new ArrayList<>();
  private final Map<Node, Snapshot> before = new LinkedHashMap<>();
  private TwoNodes topology;

  @BeforeAll
  static void machine() {
    Machine.fit("curl", "nstat", "python3", "ss", "dnsmasq", "iperf3");
  }

  @BeforeEach
  void start(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "traffic");
    Path manifests = Cluster.writeManifests(topology);
    for (Node node : topology.nodes()) {
      before.put(node, Snapshot.of(node));
      running.add(GatunProcess.start(node, Cluster.writeConfiguration(topology, node), manifests));
    }
    for (GatunProcess gatun : running) {
      gatun.awaitReady(READY);
    }
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  @Test
  void shouldCarryAGigabyteIntactBothWays() throws IOException {
    Transfer.serve(topology);
    Transfer transfer =
        Transfer.through(topology, topology.pod("client-a"), Cluster.BULK, GIGABYTE);
    System.out.println(transfer);
    assertTrue(transfer.intact(), transfer::toString);
    for (Node node : topology.nodes()) {
      assertEquals("0", node.sysctl("net.ipv4.ip_forward"));
    }
  }

  @Test
  void shouldGiveNoNewConnectionToAnEndpointThatLeft() throws IOException {
    Withdrawal.serve(topology);
    Withdrawal withdrawal =
        Withdrawal.of(topology, topology.pod("client-a"), Duration.ofMillis(100));
    assertTrue(withdrawal.graceful(), withdrawal::toString);
  }

  @Test
  void shouldLeaveTheNodeAsItWasAfterStop() throws IOException {
    for (GatunProcess gatun : running) {
      gatun.stop();
    }
    for (var node : before.entrySet()) {
      List<String> differences = node.getValue().differences(Snapshot.of(node.getKey()));
      // Others make namespaces and pins on this machine too.
      assertEquals(
          List.of(),
          differences.stream()
              .filter(line ->
                  !line.matches("[+-] (namespace|pin): .*")
                      || line.contains(node.getKey().runDirectory().toString()))
              .toList());
    }
  }
}
