package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.lab.Command;
import io.gatun.lab.Node;
import io.gatun.lab.Pod;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * One client outside, a NodePort, a single endpoint: more connections than there are {@code
 * snatPorts}, and new ones all the time. {@code -Dgatun.crowd=20000} for as many, and a tenth of it
 * new ones a second.
 */
class CrowdIT extends OnEchoLab {
  private static final int CROWD = Integer.getInteger("gatun.crowd", 6000);
  private static final int RATE = CROWD / 10;
  private static final int SECONDS = 8;

  /** Clients and servers: not even root may have as many files as it likes in a single process. */
  private static final int PROCESSES = 2;

  private static final int NODE_PORT = 30_090;
  private static final int BRIEF_NODE_PORT = 30_091;
  private static final int BRIEF = 8081;

  @Test
  void shouldRefuseNoneOfManyConnectionsFromOneClientToOneEndpoint() throws Exception {
    Pod server = lab.topology().pod("web-1");
    Path manifests = lab.topology().lab().directory().resolve("manifests");
    Files.writeString(manifests.resolve("crowd.yaml"), service(server.address()));
    lab.gatun("");
    String[] ports = {Integer.toString(EchoLab.TARGET), Integer.toString(BRIEF)};
    for (int k = 0; k < PROCESSES; k++) {
      server.node().spawn("serve-" + k, lab.words("serve", ports[0]));
    }
    server.node().spawn("brief", lab.words("brief", ports[1]));
    server.node().awaitListening(EchoLab.TARGET);
    server.node().awaitListening(BRIEF);
    Node client = lab.topology().outside();
    client.sysctl("net.ipv4.ip_local_port_range", "1024 65535");
    Callable<String> part =
        () ->
            Command.of(
                    client.enter(
                        lab.words(
                            "crowd",
                            lab.topology().address(lab.topology().nodeA()),
                            Integer.toString(NODE_PORT),
                            Integer.toString(BRIEF_NODE_PORT),
                            Integer.toString(CROWD / PROCESSES),
                            Integer.toString(RATE / PROCESSES),
                            Integer.toString(SECONDS))))
                .within(Duration.ofMinutes(4))
                .run()
                .orThrow()
                .output()
                .strip();
    int good = 0;
    try (ExecutorService clients = Executors.newFixedThreadPool(PROCESSES)) {
      for (Future<String> done : clients.invokeAll(Collections.nCopies(PROCESSES, part))) {
        String line = done.get();
        System.out.println(
            line
                + " (failed, brief, failed of these, their p99 in ms, good of "
                + CROWD / PROCESSES
                + ")");
        String[] words = line.split(" ", -1);
        assertEquals("0", words[0], "of the crowd failed");
        assertEquals("0", words[2], "of the brief ones failed");
        good += Integer.parseInt(words[4]);
      }
    }
    assertEquals(CROWD, good, "of the crowd are there in the end");
  }

  private static String service(String endpoint) {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: crowd, namespace: default}
    spec:
      type: NodePort
      clusterIP: 10.96.2.1
      clusterIPs: [10.96.2.1]
      ipFamilies: [IPv4]
      ports:
        - {name: echo, protocol: TCP, port: 80, targetPort: %1$d, nodePort: %3$d}
        - {name: brief, protocol: TCP, port: 81, targetPort: %2$d, nodePort: %4$d}
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata:
      name: crowd
      namespace: default
      labels: {kubernetes.io/service-name: crowd}
    addressType: IPv4
    ports:
      - {name: echo, protocol: TCP, port: %1$d}
      - {name: brief, protocol: TCP, port: %2$d}
    endpoints:
      - addresses: ["%5$s"]
        nodeName: node-a
        conditions: {ready: true, serving: true, terminating: false}
    """
        .formatted(EchoLab.TARGET, BRIEF, NODE_PORT, BRIEF_NODE_PORT, endpoint);
  }
}
