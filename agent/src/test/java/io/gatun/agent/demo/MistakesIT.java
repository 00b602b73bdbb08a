package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mistakes in manifests while the daemon runs: one log line each, and the state before stays. */
class MistakesIT {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final long PATIENCE_NANOS = 20_000_000_000L;
  private static final String REFUSED = "; refused, the state before it stays";

  /** What is done to web.yaml, by a replacement of its text, and what the log says of it. */
  private record Mistake(String from, String to, String said) {}

  private static final List<Mistake> MISTAKES =
      List.of(
          new Mistake(
              "port: 80,",
              "port: http,",
              "Service default/web: spec.ports[0].port: got \"http\", expected an integer from 1 to"
                  + " 65535"),
          new Mistake(
              "type: NodePort",
              "type: Nodeport",
              "Service default/web: spec.type: got \"Nodeport\", expected one of ClusterIP,"
                  + " NodePort, LoadBalancer, ExternalName"),
          new Mistake(
              "addressType: IPv6",
              "addressType: IPv4",
              "EndpointSlice default/web-ipv6: endpoints[0].addresses[0]: got \"fd00:244:0:0:0:0:0:11\","
                  + " expected an IPv4 address"),
          new Mistake("name: web, namespace: default}", "name: web, namespace: default", "line "),
          new Mistake(
              "name: web, namespace: default}",
              "name: dns, namespace: default}",
              "Service default/dns: got a second one that differs from that in "));

  @Test
  void shouldSayOneLineAndKeepTheStateBefore(@TempDir Path runDirectory) throws Exception {
    Machine.fit();
    try (TwoNodes topology = TwoNodes.up(runDirectory, "mistakes")) {
      Path manifests = Cluster.writeManifests(topology);
      Path web = manifests.resolve("web.yaml");
      GatunProcess gatun =
          GatunProcess.start(
              topology.nodeA(), Cluster.writeConfiguration(topology, topology.nodeA()), manifests);
      gatun.awaitReady(READY);
      JsonNode before = services(gatun);
      String right = Files.readString(web);
      for (int n = 0; n < MISTAKES.size(); n++) {
        Mistake mistake = MISTAKES.get(n);
        assertTrue(right.contains(mistake.from()), mistake::toString);
        write(web, right.replaceFirst(java.util.regex.Pattern.quote(mistake.from()), mistake.to()));
        List<String> refused = await(gatun, REFUSED, n + 1);
        String line = refused.getLast();
        assertTrue(line.contains(web + ": " + mistake.said()), line);
        assertEquals(before, services(gatun), mistake::toString);
      }
      write(web, right);
      await(gatun, "is right again", 1);
      assertEquals(MISTAKES.size(), lines(gatun, REFUSED).size(), "one line each, no more");
      assertEquals(before, services(gatun));
      write(web, right.replace("nodePort: 30080", "nodePort: 30081"));
      long giveUp = System.nanoTime() + PATIENCE_NANOS;
      while (services(gatun).equals(before)) {
        assertTrue(System.nanoTime() < giveUp, "what is right again is taken");
        Thread.sleep(20);
      }
      gatun.stop();
    }
  }

  /** Renamed into place, as editors and kubelet do. */
  private static void write(Path file, String text) throws IOException {
    Path draft = Files.writeString(file.resolveSibling(".draft"), text);
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static JsonNode services(GatunProcess gatun) throws IOException {
    return AdminClient.ask(gatun.runDirectory().socket(), "services");
  }

  private static List<String> await(GatunProcess gatun, String words, int lines)
      throws IOException, InterruptedException {
    long giveUp = System.nanoTime() + PATIENCE_NANOS;
    List<String> found = lines(gatun, words);
    while (found.size() < lines) {
      assertTrue(System.nanoTime() < giveUp, gatun.log());
      Thread.sleep(20);
      found = lines(gatun, words);
    }
    return found;
  }

  private static List<String> lines(GatunProcess gatun, String words) throws IOException {
    return gatun.log().lines().filter(line -> line.contains(words)).toList();
  }
}
