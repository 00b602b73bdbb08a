package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import io.gatun.lab.demo.Transfer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same bytes arrive, whatever drivers the two pods' interfaces have. */
class DriversIT {

  /** Each way; {@code -Dgatun.test.bytes=1000000000} for a gigabyte. */
  private static final long BYTES = Long.getLong("gatun.test.bytes", 200_000_000);

  private static final String BULK6 = "fd00:96::202";

  private static final Duration READY = Duration.ofSeconds(90);

  private final List<GatunProcess> running = new ArrayList<>();
  private TwoNodes topology;
  private Path manifests;

  @BeforeAll
  static void machine() {
    Machine.fit("nstat", "python3", "ss", "nft");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "drivers");
    manifests = Cluster.writeManifests(topology);
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  @ParameterizedTest
  @CsvSource({"packet, packet", "xdp, xdp", "packet, xdp", "xdp, packet"})
  void shouldCarryAStreamBetweenPodsOfOneNode(String client, String server) throws IOException {
    GatunProcess gatun = start(topology.nodeB(), client, server);
    transfer("client-b", client + " to " + server);
    gatun.stop();
    assertEquals("", topology.nodeB().command("nft", "list", "ruleset").run().output());
  }

  @ParameterizedTest
  @CsvSource({"xdp, xdp", "packet, packet", "auto, xdp"})
  void shouldCarryAStreamOverTheWire(String uplinkA, String uplinkB) throws IOException {
    start(topology.nodeA(), "auto", "auto", uplinkA);
    start(topology.nodeB(), "auto", "auto", uplinkB);
    transfer("client-a", "node to node, " + uplinkA + " to " + uplinkB);
  }

  @ParameterizedTest
  @CsvSource({
    "packet, packet, 9000, 10.96.0.202",
    "packet, packet, 1280, fd00:96::202",
    "packet, xdp, 1280, fd00:96::202",
    "xdp, packet, 1400, 10.96.0.202",
    "xdp, packet, 1500, fd00:96::202"
  })
  void shouldCarryAStreamAtAnyMtu(String client, String server, int mtu, String address)
      throws IOException {
    writeServiceOfTheOtherFamily();
    for (String name : List.of("client-b", "stream")) {
      Pod pod = topology.pod(name);
      String size = Integer.toString(mtu);
      pod.node().exec("ip", "link", "set", "eth0", "mtu", size).orThrow();
      pod.host().exec("ip", "link", "set", pod.device(), "mtu", size).orThrow();
    }
    start(topology.nodeB(), client, server);
    transfer("client-b", address, BYTES / 10, "MTU " + mtu + ", " + client + " to " + server);
  }

  private void writeServiceOfTheOtherFamily() throws IOException {
    Pod stream = topology.pod("stream");
    String text =
        Files.readString(manifests.resolve("bulk.yaml"))
            .replace("name: bulk\n", "name: bulk6\n")
            .replace("name: bulk,", "name: bulk6,")
            .replace("name: bulk-ipv4", "name: bulk6-ipv6")
            .replace("service-name: bulk}", "service-name: bulk6}")
            .replace(Cluster.BULK, "\"" + BULK6 + "\"")
            .replace("IPv4", "IPv6")
            .replace(stream.address(), stream.address6());
    Files.writeString(manifests.resolve("bulk6.yaml"), text);
  }

  private void transfer(String client, String what) throws IOException {
    transfer(client, Cluster.BULK, BYTES, what);
  }

  private void transfer(String client, String address, long bytes, String what) throws IOException {
    Transfer.serve(topology);
    Transfer transfer;
    try {
      transfer = Transfer.through(topology, topology.pod(client), address, bytes);
    } catch (IOException e) {
      for (GatunProcess gatun : running) {
        System.out.println(gatun.runDirectory().path() + " dropped:\n" + gatun.drops());
      }
      throw e;
    }
    System.out.println(what + ": " + transfer);
    assertTrue(transfer.intact(), transfer::toString);
  }

  /**
   * {@code client} is the driver of client-b and of all pods on node A, {@code server} stream's.
   */
  private GatunProcess start(Node node, String client, String server) throws IOException {
    return start(node, client, server, "xdp");
  }

  private GatunProcess start(Node node, String client, String server, String uplink)
      throws IOException {
    Path config = Cluster.writeConfiguration(topology, node, "xdp", uplink);
    String text = Files.readString(config);
    String pods = "  - {name: \"cali*\", role: pod, driver: xdp}\n";
    assertTrue(text.contains(pods), text);
    String drivers = "  - {name: \"calistr*\", role: pod, driver: %s}\n".formatted(server);
    drivers += "  - {name: \"cali*\", role: pod, driver: %s}\n".formatted(client);
    Files.writeString(config, text.replace(pods, drivers));
    GatunProcess gatun = GatunProcess.start(node, config, manifests);
    running.add(gatun);
    gatun.awaitReady(READY);
    return gatun;
  }
}
