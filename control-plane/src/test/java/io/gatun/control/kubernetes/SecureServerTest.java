package io.gatun.control.kubernetes;

import static io.gatun.control.kubernetes.Objects.SERVICES;
import static io.gatun.control.kubernetes.Objects.service;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsExchange;
import io.gatun.control.HeapRoom;
import io.gatun.control.document.FieldException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who the API server is, and who we are to it: by TLS, certificates and tokens, as in a cluster.
 */
@Timeout(60)
final class SecureServerTest {
  private static final Timing QUICK = new Timing(10, 200, 60, 600, 500);
  private static final String CLIENT = "gatun";

  @TempDir private static Path authorities;
  private static Authority cluster;
  private static Authority stranger;

  @TempDir private Path directory;
  private final Properties before = new Properties();
  private final List<ClusterSource> sources = new ArrayList<>();
  private BadApiServer server;
  private Path token;
  private Path authority;

  @BeforeAll
  static void certify() throws Exception {
    cluster =
        new Authority(authorities, "cluster")
            .certify("server", "-ext", "san=ip:127.0.0.1")
            .certify(CLIENT, "-ext", "eku=clientAuth");
    stranger = new Authority(authorities, "stranger");
  }

  @BeforeEach
  void start() throws Exception {
    before.putAll(System.getProperties());
    server = new BadApiServer(cluster.server("server"));
    server.put(SERVICES, "web", service("web", 80));
    token = Files.writeString(directory.resolve("token"), "first\n");
    authority = Files.writeString(directory.resolve("ca.crt"), cluster.certificate("ca"));
  }

  @AfterEach
  void stop() {
    sources.forEach(ClusterSource::close);
    server.close();
    System.setProperties(before);
  }

  /** What kubelet tells a pod by its environment and its files. */
  private ApiServer inCluster() {
    System.setProperty("kubernetes.auth.tryKubeConfig", "false");
    System.setProperty("KUBERNETES_SERVICE_HOST", "127.0.0.1");
    System.setProperty("KUBERNETES_SERVICE_PORT", server.url().replaceAll(".*:", ""));
    System.setProperty("kubernetes.auth.serviceAccount.token", token.toString());
    System.setProperty("kubernetes.certs.ca.file", authority.toString());
    return ApiServer.inCluster(ApiObserver.NONE);
  }

  private Path kubeconfig(String authorityPem, String user) throws IOException {
    return Files.writeString(
        directory.resolve("kubeconfig"),
        """
        apiVersion: v1
        kind: Config
        current-context: here
        contexts: [{name: here, context: {cluster: here, user: us}}]
        clusters:
          - name: here
            cluster: {server: "%s", certificate-authority-data: %s}
        users:
          - name: us
            user: {%s}
        """
            .formatted(server.url(), base64(authorityPem), user));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private ClusterSource follow(ApiServer api) {
    ClusterSource source =
        new ClusterSource(
            api,
            "node-1",
            "",
            new StateFile(directory.resolve("objects.json"), "test"),
            () -> {},
            ApiObserver.NONE,
            HeapRoom.plenty(),
            QUICK);
    sources.add(source);
    source.start();
    return source;
  }

  private static void await(ClusterSource source, String what, BooleanSupplier holds)
      throws InterruptedException {
    long end = System.nanoTime() + 20_000_000_000L;
    while (!holds.getAsBoolean()) {
      source.poll(System.nanoTime());
      assertTrue(System.nanoTime() < end, () -> what + "; " + source.refusal());
      Thread.sleep(2);
    }
  }

  private static void awaitServices(ClusterSource source, int count) throws InterruptedException {
    await(source, count + " Services", () -> source.objects().services().size() == count);
    await(source, "all lists", source::isFollowed);
  }

  /** Everybody else is told that he is unknown. */
  private void letIn(String wanted) {
    server.harm((exchange, _) -> {
      String said = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
      return !said.equals("Bearer " + wanted) && refuse(exchange);
    });
  }

  private static boolean refuse(HttpExchange exchange) throws IOException {
    BadApiServer.answer(
        exchange, 401, "{\"kind\":\"Status\",\"code\":401,\"message\":\"Unauthorized\"}");
    return true;
  }

  @Test
  void shouldFollowAsThePodsServiceAccount() throws Exception {
    letIn("first");
    ClusterSource source = follow(inCluster());
    awaitServices(source, 1);
    assertEquals(server.url(), inCluster().url());
  }

  /** Kubelet replaces the file; soon afterwards the server does not take the old one any more. */
  @Test
  void shouldGoOnWithTheServiceAccountsNextToken() throws Exception {
    letIn("first");
    ClusterSource source = follow(inCluster());
    awaitServices(source, 1);
    Files.writeString(token, "second\n");
    letIn("second");
    server.cut();
    server.put(SERVICES, "api", service("api", 81));
    awaitServices(source, 2);
  }

  @Test
  void shouldSayInOneLineThatTheServerIsNotWhoItShouldBe() throws Exception {
    Files.writeString(authority, stranger.certificate("ca"));
    ClusterSource source = follow(inCluster());
    await(source, "a complaint", () -> source.refusal() != null);
    String complaint = String.valueOf(source.refusal());
    assertTrue(complaint.contains("certificate"), complaint);
    assertFalse(complaint.strip().contains("\n"), complaint);
    assertTrue(server.requests().isEmpty(), "nobody is told our token who is not the server");
  }

  /** What it cannot send it says, and asks again when the file is right. */
  @Test
  void shouldSurviveATokenThatIsNone() throws Exception {
    letIn("second");
    Files.writeString(token, "fir\nst");
    ClusterSource source = follow(inCluster());
    await(source, "a complaint", () -> source.refusal() != null);
    Files.writeString(token, "second\n");
    awaitServices(source, 1);
  }

  @Test
  void shouldShowTheCertificateOfAKubeconfig() throws Exception {
    server.harm((exchange, _) -> {
      try {
        String who = ((HttpsExchange) exchange).getSSLSession().getPeerPrincipal().getName();
        return !who.equals("CN=" + CLIENT) && refuse(exchange);
      } catch (SSLPeerUnverifiedException nobody) {
        return refuse(exchange);
      }
    });
    String user =
        "client-certificate-data: %s, client-key-data: %s"
            .formatted(base64(cluster.certificate(CLIENT)), base64(cluster.key(CLIENT)));
    Path file = kubeconfig(cluster.certificate("ca"), user);
    awaitServices(follow(ApiServer.ofKubeconfig(file, ApiObserver.NONE)), 1);

    file = kubeconfig(cluster.certificate("ca"), "token: nobody");
    ClusterSource unknown = follow(ApiServer.ofKubeconfig(file, ApiObserver.NONE));
    await(unknown, "a complaint", () -> unknown.refusal() != null);
    assertTrue(String.valueOf(unknown.refusal()).contains("401"), unknown.refusal());
  }

  @Test
  void shouldGoOnWithTheNextTokenOfAKubeconfigsFile() throws Exception {
    letIn("first");
    Path file = kubeconfig(cluster.certificate("ca"), "tokenFile: token");
    ClusterSource source = follow(ApiServer.ofKubeconfig(file, ApiObserver.NONE));
    awaitServices(source, 1);
    Files.writeString(token, "second\n");
    letIn("second");
    server.cut();
    server.put(SERVICES, "api", service("api", 81));
    awaitServices(source, 2);
  }

  @Test
  void shouldRefuseAKeyThatIsNone() throws Exception {
    String user =
        "client-certificate-data: %s, client-key-data: %s"
            .formatted(base64(cluster.certificate(CLIENT)), base64("no key"));
    Path file = kubeconfig(cluster.certificate("ca"), user);
    FieldException refused =
        assertThrows(
            FieldException.class, () -> ApiServer.ofKubeconfig(file, ApiObserver.NONE).close());
    assertTrue(String.valueOf(refused.getMessage()).contains("expected PEM"), refused.toString());
  }
}
