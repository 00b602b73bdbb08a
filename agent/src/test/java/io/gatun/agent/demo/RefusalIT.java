package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Launcher;
import io.gatun.agent.Machine;
import io.gatun.ffm.Libc;
import io.gatun.ffm.bpf.Bpf;
import io.gatun.ffm.bpf.BpfAssembler;
import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where others hook the kernel's forwarding, taking over would switch them off: refused. */
class RefusalIT {
  private static final int XDP_PASS = 2;

  private TwoNodes topology;
  private Node node;
  private Path manifests;
  private Path config;

  @BeforeAll
  static void machine() {
    Machine.fit("nft");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws IOException {
    topology = TwoNodes.up(runDirectory, "refusal");
    node = topology.nodeA();
    manifests = Cluster.writeManifests(topology);
    config = Cluster.writeConfiguration(topology, node);
    nft("add table ip kube-proxy");
    nft("add table ip filter");
    nft("add chain ip filter cali-FORWARD");
    nft("add chain ip filter KUBE-ROUTER-FORWARD");
    nft("add chain ip filter CNI-HOSTPORT-DNAT");
    node.exec("ip", "link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "kube-ipvs1")
        .orThrow();
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  private void nft(String words) throws IOException {
    node.exec("nft", words).orThrow();
  }

  /** Attaches a program of nobody we know to the uplink; the descriptors that hold it. */
  private int[] foreignProgram() throws Exception {
    FutureTask<int[]> attaching =
        new FutureTask<>(() -> {
          int namespace = Libc.open(node.path().toString(), Libc.O_RDONLY);
          assertEquals(0, Libc.setns(namespace, Libc.CLONE_NEWNET));
          Libc.close(namespace);
          BpfAssembler code = new BpfAssembler().move(BpfAssembler.R0, XDP_PASS).exit();
          int program = Bpf.loadXdp(code, "somebodys", 0);
          int link = Bpf.createXdpLink(program, Libc.ifNameToIndex("eth0"), 0);
          assertTrue(link >= 0, "attached: " + link);
          return new int[] {program, link};
        });
    Thread.ofPlatform().start(attaching);
    return attaching.get(20, TimeUnit.SECONDS);
  }

  @Test
  void shouldRefuseNameTheRemedyAndRunAllTheSameWhenToldSo() throws Exception {
    int[] foreign = foreignProgram();
    List<String> names = List.of("kube-proxy", "calico", "kube-router", "portmap", "ipvs", "xdp");
    GatunProcess refused = GatunProcess.start(node, config, manifests, List.of());
    assertTrue(refused.process().waitFor(60, TimeUnit.SECONDS));
    assertEquals(2, refused.process().exitValue(), refused.log());
    for (String name : names) {
      List<String> lines =
          refused.log().lines().filter(line -> line.contains("--ignore " + name + ")")).toList();
      assertEquals(1, lines.size(), name + ": " + refused.log());
    }
    String checked = check();
    for (String name : names) {
      assertTrue(checked.matches("(?s).*failure +" + name + " .*→.*"), name + ": " + checked);
    }
    assertTrue(checked.contains("XDP: native, copy mode"), checked);

    for (int descriptor : foreign) {
      Libc.close(descriptor); // two programs cannot share an interface, whatever is ignored
    }
    List<String> words = new ArrayList<>();
    for (String name : names) {
      words.addAll(List.of("--ignore", name));
    }
    GatunProcess told = GatunProcess.start(node, config, manifests, words);
    told.awaitReady(Duration.ofSeconds(60));
    told.stop();
  }

  private String check() throws IOException {
    Command.Outcome outcome =
        node.command(
                "env",
                "GATUN_RUN_DIR=" + node.runDirectory(),
                Launcher.PATH,
                "check",
                "--config",
                config.toString())
            .within(Duration.ofMinutes(5))
            .run();
    assertEquals(1, outcome.exit(), outcome::toString);
    return outcome.output();
  }
}
