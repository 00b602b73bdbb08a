package io.gatun.lab.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.lab.Command;
import io.gatun.lab.Lab;
import io.gatun.lab.Node;
import io.gatun.lab.Root;
import io.gatun.lab.TwoNodes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The demonstration's checks hold with the kernel as dataplane, but for the one that forbids it.
 */
class ChecksIT {

  private static final long BYTES = 200_000_000;

  @TempDir Path runDirectory;

  @BeforeAll
  static void tools() {
    Root.required("curl", "dig", "dnsmasq", "iperf3", "nstat", "python3", "ss");
  }

  @Test
  void shouldPassAllButTheKernelsForwardingWhenTheKernelForwards() throws IOException {
    List<String> lines = play(new KernelDataplane());
    List<String> failed = lines.stream().filter(line -> line.startsWith("✗")).toList();
    assertEquals(1, failed.size(), () -> String.join("\n", lines));
    assertTrue(
        failed.getFirst().startsWith("✗ forwarded by the nodes' kernels: "), failed::toString);
    assertEquals("20 passed, 1 failed", lines.getLast());
    assertEquals(List.of(), Lab.list(runDirectory));
  }

  @Test
  void shouldCarryBytesIntactBothWays() throws IOException {
    var dataplane = new KernelDataplane();
    try (TwoNodes topology = TwoNodes.up(runDirectory, "transfer")) {
      Path manifests = Cluster.writeManifests(topology);
      for (var node : topology.nodes()) {
        dataplane.start(node, Cluster.writeConfiguration(topology, node), manifests);
      }
      Transfer.serve(topology);
      Transfer transfer = Transfer.through(topology, topology.pod("client-a"), Cluster.BULK, BYTES);
      assertTrue(transfer.intact(), transfer::toString);
      System.out.println(transfer);
    }
  }

  @Test
  void shouldSeeWhetherAnEndpointLeavesGracefully() throws IOException {
    var dataplane = new KernelDataplane();
    try (TwoNodes topology = TwoNodes.up(runDirectory, "withdrawal")) {
      Withdrawal.serve(topology);
      Path manifests = Cluster.writeManifests(topology);
      for (var node : topology.nodes()) {
        dataplane.start(node, Cluster.writeConfiguration(topology, node), manifests);
      }
      // The stand-in reads no manifests: it goes on giving connections to web-2, and is found out.
      Withdrawal ignored = Withdrawal.of(topology, topology.pod("client-a"), Duration.ZERO);
      assertFalse(ignored.graceful(), ignored::toString);
      assertEquals("web-2", ignored.oldConnection(), ignored::toString);

      dataplane.followManifests(topology.nodeA(), manifests.resolve("web.yaml"));
      Cluster.writeManifests(topology);
      Withdrawal obeyed = Withdrawal.of(topology, topology.pod("client-a"), Duration.ofMillis(100));
      assertTrue(obeyed.graceful(), obeyed::toString);
    }
  }

  @Test
  void shouldFeelAnOutageAsLongAsItWas() throws Exception {
    try (TwoNodes topology = TwoNodes.up(runDirectory, "pulse")) {
      Node node = topology.nodeA();
      node.sysctl("net.ipv4.ip_forward", "1");
      var client = topology.pod("client-a");
      Pulse pulse = Pulse.start(topology, client, topology.pod("web-1"), Duration.ofSeconds(2));
      Thread.sleep(700);
      node.sysctl("net.ipv4.ip_forward", "0");
      Thread.sleep(500);
      node.sysctl("net.ipv4.ip_forward", "1");
      Pulse.Reading reading = pulse.await();
      long silence = reading.longestSilence().toMillis();
      assertTrue(silence > 480 && silence < 800, reading::toString);
      assertTrue(reading.silentAtEnd().toMillis() < 100, reading::toString);
    }
  }

  @Test
  void shouldLeaveNothingOnControlC() throws Exception {
    Process demo =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                DemoProcess.class.getName(),
                runDirectory.toString())
            .redirectErrorStream(true)
            .start();
    String prefix;
    try (var output = demo.inputReader()) {
      for (String line = ""; !line.startsWith("✓"); ) {
        line = output.readLine();
      }
      prefix = Lab.list(runDirectory).getFirst().prefix();
      Command.of("kill", "-INT", Long.toString(demo.pid())).run().orThrow();
      output.transferTo(Writer.nullWriter());
    }
    assertTrue(demo.waitFor(10, TimeUnit.SECONDS));
    assertEquals(List.of(), Lab.list(runDirectory));
    try (Stream<Path> namespaces = Files.list(Path.of("/run/netns"))) {
      assertTrue(namespaces.noneMatch(path -> path.getFileName().toString().startsWith(prefix)));
    }
  }

  private List<String> play(NodeDataplane dataplane) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      assertEquals(1, Demo.run(new Demo.Options(false, false, runDirectory, out), dataplane));
    }
    String text = bytes.toString(StandardCharsets.UTF_8);
    System.out.print(text);
    return text.lines().toList();
  }
}
