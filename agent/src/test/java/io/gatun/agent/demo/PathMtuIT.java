package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.lab.TwoNodes;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * Errors about translated packets reach kernel sockets, from routers beyond Gatun and from Gatun.
 */
class PathMtuIT extends OnEchoLab {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String BYTES = "3000000";
  private static final String PORT = Integer.toString(EchoLab.PORT);

  @Test
  void shouldFindAPathMtuThatIsSmallerBeyondTheNode() throws Exception {
    TwoNodes topology = lab.topology();
    // The other node's kernel reports it, about packets whose client knows the front only.
    topology.nodeB().exec("ip", "link", "set", lab.server().device(), "mtu", "1400").orThrow();
    lab.server().node().exec("ip", "link", "set", "eth0", "mtu", "1400").orThrow();
    blindServerToMss();
    lab.gatun("");
    lab.serve();
    assertEquals(
        BYTES + " 1400", lab.client(PATIENCE, "upload", EchoLab.FRONTS.getFirst(), PORT, BYTES));
    assertEquals(BYTES + " 1400", lab.client(PATIENCE, "upload", EchoLab.FRONT6, PORT, BYTES));
  }

  @Test
  void shouldFindThePathMtuOfTheNodesOwnUplink() throws Exception {
    for (var node : lab.topology().nodes()) {
      node.exec("ip", "link", "set", "eth0", "mtu", "1400").orThrow();
    }
    lab.gatun("");
    lab.serve();
    assertEquals(
        BYTES + " 1400", lab.client(PATIENCE, "upload", EchoLab.FRONTS.getFirst(), PORT, BYTES));
    assertEquals(BYTES + " 1400", lab.client(PATIENCE, "upload", EchoLab.FRONT6, PORT, BYTES));
  }

  @Test
  void shouldTraceTheWayThroughAService() throws Exception {
    lab.gatun("");
    lab.serve();
    TwoNodes topology = lab.topology();
    String nodes = topology.address(topology.nodeA()) + " " + topology.address(topology.nodeB());
    assertEquals(nodes + " reply", lab.client(PATIENCE, "trace", EchoLab.FRONTS.getFirst(), PORT));
    nodes = topology.address6(topology.nodeA()) + " " + topology.address6(topology.nodeB());
    assertEquals(nodes + " reply", lab.client(PATIENCE, "trace", EchoLab.FRONT6, PORT));
  }

  /** The server announces what an ordinary Ethernet carries, as if the narrow link were not its. */
  private void blindServerToMss() throws IOException {
    for (String way : new String[] {"-4", "-6"}) {
      String via =
          lab.server()
              .node()
              .exec("ip", way, "route", "show", "default")
              .orThrow()
              .output()
              .strip();
      String[] words = via.split(" ", -1);
      lab.server()
          .node()
          .exec(
              "ip",
              way,
              "route",
              "replace",
              "default",
              "via",
              words[2],
              "dev",
              "eth0",
              "advmss",
              way.equals("-4") ? "1460" : "1440",
              "onlink")
          .orThrow();
    }
  }
}
