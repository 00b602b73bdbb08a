package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.Overlay;
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
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Gatun on one node, nothing but the kernel's VXLAN device on the other, set up as flanneld and
 * Felix do it: they understand each other to the byte.
 */
class OverlayIT {
  private static final Duration READY = Duration.ofSeconds(60);

  /** Enough for every mistake that has to do with size and sequence; see docs for a gigabyte. */
  private static final long BYTES = Long.getLong("gatun.overlay.bytes", 30_000_000);

  /** Malformed, an error, a wrong checksum, or not decoded as what it should be. */
  private static final String COMPLAINT =
      "_ws.malformed || (_ws.expert.severity >= 6291456 && !tcp.analysis.flags) || !vxlan"
          + " || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0";

  private static final int[] SIZES = {
    0, 1, 8, 56, 500, 1372, 1382, 1383, 1400, 1402, 1403, 1422, 1423, 1450, 2000, 4000, 20_000,
    65_000
  };

  @TempDir private Path runDirectory;

  /** Null before {@link #up}. */
  @SuppressWarnings("NullAway.Init")
  private TwoNodes topology;

  @SuppressWarnings("NullAway.Init")
  private GatunProcess gatun;

  @BeforeAll
  static void machine() {
    Machine.fit("bridge", "curl", "nstat", "ping", "python3", "ss", "tcpdump", "tshark");
  }

  private void up(Overlay overlay, String podDriver, String uplinkDriver) throws IOException {
    topology = TwoNodes.up(runDirectory, "overlay", overlay);
    Node other = topology.nodeB();
    other.sysctl("net.ipv4.ip_forward", "1");
    other.sysctl("net.ipv6.conf.all.forwarding", "1");
    Path manifests = Cluster.writeManifests(topology);
    Path config = Cluster.writeConfiguration(topology, topology.nodeA(), podDriver, uplinkDriver);
    gatun = GatunProcess.start(topology.nodeA(), config, manifests);
    gatun.awaitReady(READY);
  }

  @AfterEach
  void down() throws IOException {
    if (topology != null) {
      topology.close();
    }
  }

  @Test
  void shouldUnderstandFlannelsKernel() throws Exception {
    understand(Overlay.FLANNEL, "xdp", "xdp");
  }

  @Test
  void shouldUnderstandWholeSegmentsFromBothSides() throws Exception {
    understand(Overlay.FLANNEL, "packet", "packet");
  }

  @Test
  void shouldUnderstandCalicosKernelWithWholeSegmentsFromPods() throws Exception {
    understand(Overlay.CALICO, "packet", "xdp");
  }

  private void understand(Overlay overlay, String podDriver, String uplinkDriver) throws Exception {
    up(overlay, podDriver, uplinkDriver);
    Path capture = runDirectory.resolve("wire.pcap");
    Process tcpdump =
        topology
            .lab()
            .node("wire")
            .spawn(
                "tcpdump",
                "tcpdump",
                "-i",
                "to-node-b",
                "-Q",
                "out",
                "-s",
                "0",
                "-U",
                "-Z",
                "root",
                "-c",
                "20000",
                "-w",
                capture.toString(),
                "udp port " + overlay.port());
    Thread.sleep(500);
    pings();
    Transfer.serve(topology);
    Pod client = topology.pod("client-a");
    Transfer transfer = Transfer.through(topology, client, topology.pod("stream").address(), BYTES);
    System.out.println(transfer);
    assertTrue(transfer.intact(), transfer::toString);
    transfer = Transfer.through(topology, client, Cluster.BULK, BYTES);
    assertTrue(transfer.intact(), transfer::toString);
    tcpdump.destroy();
    tcpdump.waitFor();
    complaints(capture, overlay);
    for (Node node : topology.lab().nodes()) {
      assertEquals(
          List.of(),
          node.exec("nstat", "-asz")
              .orThrow()
              .output()
              .lines()
              .map(line -> line.strip().split("\\s+", -1))
              .filter(words -> words[0].endsWith("CsumErrors") && !words[1].equals("0"))
              .map(words -> node.name() + " " + words[0] + " " + words[1])
              .toList());
    }
    System.out.println(gatun.drops());
  }

  private void pings() throws IOException {
    Pod to = topology.pod("client-b");
    for (String address : List.of(to.address(), to.address6())) {
      ping(address, 2000, 3); // the first ones teach both ends what fits
      ping(address, 1402, 3);
      for (int size : SIZES) {
        String seen = ping(address, size, 20);
        if (!seen.contains(" 20 received")) {
          System.out.println("again: " + seen + why()); // a kernel may have had no room for one
          seen = ping(address, size, 20);
        }
        String last = seen;
        assertTrue(last.contains(" 20 received"), () -> address + " " + size + last + why());
      }
    }
  }

  private String ping(String address, int size, int count) throws IOException {
    return topology
        .pod("client-a")
        .node()
        .exec("ping", "-nqc" + count, "-i", "0.002", "-W", "2", "-s", "" + size, address)
        .output();
  }

  private String why() {
    try {
      return gatun.drops() + "\n" + topology.nodeB().exec("nstat", "-as").output();
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** What tshark finds wrong in any layer; the transfer's random bytes mean nothing. */
  private static void complaints(Path capture, Overlay overlay) throws IOException {
    String options =
        "-d udp.port==%d,vxlan -d tcp.port==9000,echo -o ip.check_checksum:TRUE"
                .formatted(overlay.port())
            + " -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE";
    List<String> words = new ArrayList<>(List.of("tshark", "-r", capture.toString()));
    words.addAll(List.of(options.split(" ")));
    words.addAll(List.of("-Y", COMPLAINT));
    String complaints = Command.of(words).run().orThrow().output();
    assertEquals("", complaints.lines().limit(10).collect(Collectors.joining("\n")));
    assertTrue(Files.size(capture) > 1_000_000, () -> "hardly anything was captured");
  }
}
