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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code kubernetes.default} on a control-plane node: the API server is a process of the node
 * itself, behind a ClusterIP and a NodePort. It tells each client whom it sees.
 */
class ControlPlaneIT {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final String SERVICE = "10.96.0.1";
  private static final String SERVICE6 = "fd00:96::1";
  private static final int NODE_PORT = 30443;

  private static final String SERVER =
      """
      import http.server, socket, ssl, sys
      class Api(http.server.BaseHTTPRequestHandler):
          def do_GET(self):
              said = self.client_address[0].removeprefix('::ffff:').encode()
              self.send_response(200)
              self.send_header('Content-Length', str(len(said)))
              self.end_headers()
              self.wfile.write(said)
          def log_message(self, *a):
              pass
      class Server(http.server.ThreadingHTTPServer):
          address_family = socket.AF_INET6
      server = Server(('::', 6443), Api)
      context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
      context.load_cert_chain(sys.argv[1], sys.argv[2])
      server.socket = context.wrap_socket(server.socket, server_side=True)
      server.serve_forever()
      """;

  private TwoNodes topology;
  private Node node;

  @BeforeAll
  static void machine() {
    Machine.fit("python3", "openssl", "curl");
  }

  @BeforeEach
  void up(@TempDir Path runDirectory) throws Exception {
    topology = TwoNodes.up(runDirectory, "plane");
    node = topology.nodeA();
    Path folder = Files.createDirectories(node.runDirectory());
    Path key = folder.resolve("key.pem");
    Path certificate = folder.resolve("certificate.pem");
    List<String> words = new ArrayList<>(List.of("openssl", "req", "-x509", "-newkey", "ec"));
    words.addAll(List.of("-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"));
    words.addAll(List.of("-subj", "/CN=kubernetes", "-keyout", key.toString()));
    words.addAll(List.of("-out", certificate.toString()));
    Command.of(words).run().orThrow();
    node.spawn("api", "python3", "-c", SERVER, certificate.toString(), key.toString());
    Path manifests = Files.createDirectories(topology.lab().directory().resolve("manifests"));
    Files.writeString(
        manifests.resolve("kubernetes.yaml"),
        """
        apiVersion: v1
        kind: Service
        metadata: {name: kubernetes, namespace: default}
        spec:
          type: NodePort
          clusterIP: %1$s
          clusterIPs: [%1$s, "%2$s"]
          ipFamilies: [IPv4, IPv6]
          ipFamilyPolicy: RequireDualStack
          externalTrafficPolicy: Local
          ports: [{name: https, protocol: TCP, port: 443, targetPort: 6443, nodePort: %3$d}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: kubernetes-4
          namespace: default
          labels: {kubernetes.io/service-name: kubernetes}
        addressType: IPv4
        ports: [{name: https, protocol: TCP, port: 6443}]
        endpoints: [{addresses: [%4$s], nodeName: node-a}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: kubernetes-6
          namespace: default
          labels: {kubernetes.io/service-name: kubernetes}
        addressType: IPv6
        ports: [{name: https, protocol: TCP, port: 6443}]
        endpoints: [{addresses: ["%5$s"], nodeName: node-a}]
        """
            .formatted(
                SERVICE, SERVICE6, NODE_PORT, topology.address(node), topology.address6(node)));
    Path config = Cluster.writeConfiguration(topology, node);
    GatunProcess.start(node, config, manifests).awaitReady(READY);
  }

  @AfterEach
  void down() throws IOException {
    topology.close();
  }

  /** What the server says that it sees; empty when it does not answer. */
  private static String ask(Node client, String address, int port) throws IOException {
    String host = address.contains(":") ? "[" + address + "]" : address;
    String url = "https://%s:%d/".formatted(host, port);
    String said = "";
    for (int i = 0; i < 30 && said.isEmpty(); i++) { // it may still be starting
      said = client.exec("curl", "-sk", "--max-time", "2", url).output().strip();
    }
    return said;
  }

  @Test
  void shouldReachTheApiServerAndKeepAnOutsideClientsAddress() throws Exception {
    Node pod = topology.pod("client-a").node();
    for (String service : List.of(SERVICE, SERVICE6)) {
      String network = service.contains(":") ? "fd00:244:" : "10.244.0.";
      String seen = ask(pod, service, 443);
      assertTrue(seen.startsWith(network), service + " sees the pod as " + seen);
      assertFalse(ask(node, service, 443).isEmpty(), service + " does not answer the node");
    }
    Node outside = topology.outside();
    assertEquals(topology.address(outside), ask(outside, topology.address(node), NODE_PORT));
    assertEquals(topology.address6(outside), ask(outside, topology.address6(node), NODE_PORT));
  }
}
