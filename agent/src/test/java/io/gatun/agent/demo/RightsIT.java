package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code run} with the four capabilities that it asks for and no other. */
class RightsIT {
  private static final Duration READY = Duration.ofSeconds(60);

  /** Bits of linux/capability.h: NET_ADMIN, NET_RAW, IPC_LOCK, BPF. */
  private static final long FOUR = 1L << 12 | 1L << 13 | 1L << 14 | 1L << 39;

  private static final List<String> BY =
      List.of("setpriv", "--bounding-set=-all,+net_admin,+net_raw,+ipc_lock,+bpf", "--");

  private TwoNodes topology;
  private Node node;

  @BeforeAll
  static void machine() {
    Machine.fit("setpriv", "python3", "curl");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "rights");
    node = topology.nodeA();
    for (String mount : List.of("bpf", "state")) { // what takes CAP_SYS_ADMIN
      Path at = Files.createDirectories(node.runDirectory().resolve(mount));
      String type = mount.equals("bpf") ? "bpf" : "tmpfs";
      Command.of("mount", "-t", type, "gatun-it", at.toString()).run().orThrow();
    }
  }

  @AfterEach
  void down() throws IOException {
    for (String mount : List.of("bpf", "state")) {
      Command.of("umount", "-l", node.runDirectory().resolve(mount).toString()).run();
    }
    topology.close();
  }

  @Test
  void shouldRunBeReplacedAndStopWithFourCapabilities() throws Exception {
    Path manifests = Cluster.writeManifests(topology);
    Path config = Cluster.writeConfiguration(topology, node, "packet");
    GatunProcess first = GatunProcess.startBy(BY, node, config, manifests, List.of());
    first.awaitReady(READY);
    assertFour(first);
    for (String name : List.of("gatun.sock", "heir.sock")) {
      assertEquals(
          PosixFilePermissions.fromString("rw-------"),
          Files.getPosixFilePermissions(node.runDirectory().resolve(name)),
          name);
    }
    Node web = topology.pod("web-1").node();
    web.spawn("web", "python3", "-m", "http.server", "8080", "--bind", "::");
    assertServed();
    GatunProcess second = GatunProcess.startBy(BY, node, config, manifests, List.of("--replace"));
    second.awaitReady(READY);
    assertFour(second);
    assertTrue(second.log().contains("took over"), second.log());
    assertTrue(first.process().waitFor(20, TimeUnit.SECONDS), "the replaced one ended");
    assertServed();
    second.stop();
    assertEquals(0, second.process().exitValue(), second.log());
  }

  private static void assertFour(GatunProcess gatun) throws IOException {
    String status = Files.readString(Path.of("/proc/" + gatun.process().pid() + "/status"));
    Matcher effective = Pattern.compile("(?m)^CapEff:\\s*([0-9a-f]+)$").matcher(status);
    assertTrue(effective.find(), status);
    assertEquals(FOUR, Long.parseUnsignedLong(effective.group(1), 16), status);
    assertFalse(gatun.log().contains("WARN"), gatun.log());
  }

  /** Half of the connections go to an endpoint that is not there. */
  private void assertServed() throws Exception {
    String url = "http://" + Cluster.WEB + "/";
    Node client = topology.pod("client-a").node();
    for (int i = 0; i < 100; i++) {
      if (client.exec("curl", "-s", "--max-time", "1", url).succeeded()) {
        return;
      }
      Thread.sleep(50);
    }
    throw new AssertionError("nobody answers at " + url);
  }
}
