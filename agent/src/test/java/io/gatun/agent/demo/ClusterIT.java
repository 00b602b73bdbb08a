package io.gatun.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.GatunProcess;
import io.gatun.agent.Machine;
import io.gatun.agent.admin.AdminClient;
import io.gatun.agent.deploy.DeployTest;
import io.gatun.agent.metrics.Exposition;
import io.gatun.agent.metrics.KubeProxyQueries;
import io.gatun.lab.Node;
import io.gatun.lab.TwoNodes;
import io.gatun.lab.demo.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node whose objects come from an API server, which goes away and comes back under traffic; and
 * what load balancers and Prometheus are told meanwhile.
 */
class ClusterIT {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final String FRONT = EchoLab.FRONTS.getFirst();
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration BACK_OFF = Duration.ofSeconds(60);
  private static final int CHECK = 32_000;

  private EchoLab lab;
  private ScriptedApi api;
  private Process apiProcess;

  /** Objects that {@link #write} adds to the list of Services and of slices, each after a comma. */
  private String moreServices = "";

  private String moreSlices = "";

  @BeforeEach
  void up(@TempDir Path runDirectory) throws Exception {
    Machine.fit("python3", "curl", "ss");
    lab = EchoLab.up(runDirectory, "cluster");
    TwoNodes topology = lab.topology();
    Path folder = topology.lab().directory();
    api = new ScriptedApi(folder);
    write(lab.server().address(), false);
    apiProcess = api.serve(node());
    lab.serve();
  }

  @AfterEach
  void down() throws IOException {
    lab.close();
  }

  private Node node() {
    return lab.topology().nodeA();
  }

  /** The Service, its endpoint, this node, a pod of it and a policy about that. */
  private void write(String endpoint, boolean leaving) throws IOException {
    api.write(
        """
        {"/api/v1/services": [{"apiVersion": "v1", "kind": "Service",
           "metadata": {"name": "echo", "namespace": "default", "uid": "1"},
           "spec": {"type": "LoadBalancer", "clusterIP": "%1$s", "clusterIPs": ["%1$s"], "externalTrafficPolicy": "Local",
             "healthCheckNodePort": %4$d, "ports": [{"name": "tcp", "port": 80, "nodePort": 30080}, {"name": "udp", "protocol": "UDP", "port": 80, "nodePort": 30080}]}}%7$s],
         "/apis/discovery.k8s.io/v1/endpointslices": [{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
           "metadata": {"name": "echo-1", "namespace": "default", "uid": "2", "labels": {"kubernetes.io/service-name": "echo"},
             "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "%5$s"}},
           "addressType": "IPv4", "ports": [{"name": "tcp", "port": %6$d}, {"name": "udp", "protocol": "UDP", "port": %6$d}],
           "endpoints": [{"addresses": ["%2$s"], "nodeName": "node-a", "conditions": {"ready": true}}]}%8$s],
         "/api/v1/nodes": [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a", "uid": "3"},
           "spec": {"podCIDR": "10.244.0.0/24"%3$s}}],
         "/api/v1/pods": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop", "uid": "4", "labels": {"app": "web"}},
           "spec": {"nodeName": "node-a", "containers": []}, "status": {"phase": "Running"}}],
         "/apis/networking.k8s.io/v1/servicecidrs": [{"metadata": {"name": "kubernetes", "uid": "5"}, "spec": {"cidrs": ["10.96.0.0/12"]}}],
         "/apis/networking.k8s.io/v1/networkpolicies": [{"metadata": {"name": "deny", "namespace": "shop", "uid": "6"},
           "spec": {"podSelector": {"matchLabels": {"app": "web"}}}}]}
        """
            .formatted(
                FRONT,
                endpoint,
                leaving ? ", \"taints\": [{\"key\": \"ToBeDeletedByClusterAutoscaler\"}]" : "",
                CHECK,
                Instant.now(),
                EchoLab.TARGET,
                moreServices,
                moreSlices));
  }

  private static String await(String what, Await.Question question, Predicate<String> holds)
      throws IOException, InterruptedException {
    return Await.answer(what, PATIENCE, question, holds);
  }

  private GatunProcess gatun() throws IOException {
    GatunProcess gatun =
        GatunProcess.start(
            node(),
            Cluster.writeConfiguration(lab.topology(), node()),
            api.kubeconfig(),
            List.of());
    gatun.awaitReady(READY);
    return gatun;
  }

  /** Status code, headers and body, from the node itself. */
  private String get(String url) throws IOException {
    return node().exec("curl", "-sS", "-i", "-m", "5", url).output();
  }

  private void echo(String what) throws IOException {
    assertEquals(
        "20", lab.client(Duration.ofSeconds(30), "datagrams", FRONT, "80", "100", "20"), what);
  }

  @Test
  void shouldServeWhateverTheApiServerDoes() throws Exception {
    GatunProcess gatun = gatun();
    echo("objects of the API server");
    health();
    metrics(gatun);
    away(gatun);
  }

  /**
   * What an API server does.
   *
   * @param harm {@link #AWAY}, {@link #RESTARTED}, or what {@code apiserver.py} knows
   * @param bearable what it says meanwhile has to be in force before it ends
   */
  private record Mischief(String harm, Duration lasts, boolean bearable) {
    /** It is not there. */
    static final String AWAY = "away";

    /** It dies, and is there again at once. */
    static final String RESTARTED = "restarted";

    /** The longer it was away, the more seldom it is asked whether it is back: 30 s and as much. */
    Duration patience() {
      Duration more = lasts.compareTo(BACK_OFF) > 0 ? BACK_OFF : lasts;
      return PATIENCE.plus(more);
    }
  }

  /** The longest is a property: minutes by hand, a moment in CI. */
  private static final List<Mischief> MISCHIEF =
      List.of(
          new Mischief(
              Mischief.AWAY,
              Duration.ofSeconds(Integer.getInteger("gatun.cluster.away", 2)),
              false),
          new Mischief(Mischief.RESTARTED, Duration.ZERO, false),
          new Mischief("gone", Duration.ofMillis(500), true),
          new Mischief("429", Duration.ofMillis(1500), false),
          new Mischief("503", Duration.ofMillis(500), false),
          new Mischief("cut", Duration.ofMillis(700), false),
          new Mischief("doubled", Duration.ofMillis(300), true),
          new Mischief("late", Duration.ofMillis(300), true));

  /**
   * Each time another Service changes as well; it has to come to what was said last, and the echo
   * Service's datagrams, one a millisecond all the time, come back.
   */
  @Test
  void shouldLoseNothingWhateverTheApiServerDoes() throws Exception {
    GatunProcess gatun = gatun();
    long seconds = MISCHIEF.getFirst().patience().toSeconds();
    for (Mischief mischief : MISCHIEF) {
      seconds += mischief.lasts.toSeconds();
    }
    Process pulse =
        lab.client()
            .node()
            .spawn("pulse", lab.words("pulse", FRONT, "80", String.valueOf(seconds)));
    long end = System.nanoTime() + seconds * 1_000_000_000;
    int number = 1;
    for (Mischief mischief : MISCHIEF) {
      trouble(mischief, gatun, number++);
      assertTrue(System.nanoTime() < end, "the pulse ended before " + mischief);
    }
    assertEquals(0, pulse.waitFor());
    String log = Files.readString(lab.client().node().runDirectory().resolve("pulse.log"));
    String[] counts = log.lines().toList().getLast().split(" ", -1);
    assertEquals("0", counts[1], "never came back: " + log);
    assertTrue(Integer.parseInt(counts[0]) >= 900 * seconds, log);
    gatun.stop();
  }

  private void trouble(Mischief mischief, GatunProcess gatun, int number) throws Exception {
    Path harm = api.objects().resolveSibling(api.objects().getFileName() + ".harm");
    boolean dies = mischief.harm.equals(Mischief.AWAY) || mischief.harm.equals(Mischief.RESTARTED);
    if (dies) {
      apiProcess.destroyForcibly().waitFor();
    } else {
      Files.writeString(harm, mischief.harm);
    }
    probe("10.244.98." + number);
    Thread.sleep(mischief.lasts);
    probe("10.244.97." + number);
    if (dies) {
      apiProcess = api.serve(node());
    }
    if (mischief.bearable) {
      awaitEndpoint(gatun, "10.244.97." + number);
      Thread.sleep(mischief.lasts); // nothing told late undoes it
      assertTrue(services(gatun).contains("10.244.97." + number), mischief::toString);
    }
    Files.deleteIfExists(harm);
    String last = "10.244.97." + number;
    Await.answer(
        "endpoint " + last,
        mischief.patience(),
        () -> services(gatun),
        text -> text.contains(last));
    probe("10.244.96." + number); // and it is followed as before
    awaitEndpoint(gatun, "10.244.96." + number);
    String services = services(gatun);
    assertFalse(services.contains("10.244.98." + number), mischief + ": " + services);
    assertTrue(services.contains(lab.server().address()), mischief + ": " + services);
  }

  /** The endpoint of the Service that nobody asks. */
  private void probe(String endpoint) throws IOException {
    moreServices =
        """
        , {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "probe", "namespace": "default", "uid": "7"},
           "spec": {"type": "ClusterIP", "clusterIP": "10.96.9.9", "clusterIPs": ["10.96.9.9"], "ports": [{"port": 80}]}}
        """;
    moreSlices =
        """
        , {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
           "metadata": {"name": "probe-1", "namespace": "default", "uid": "8", "labels": {"kubernetes.io/service-name": "probe"}},
           "addressType": "IPv4", "ports": [{"port": 80}],
           "endpoints": [{"addresses": ["%s"], "conditions": {"ready": true}}]}
        """
            .formatted(endpoint);
    write(lab.server().address(), false);
  }

  private void health() throws Exception {
    String node = "http://" + lab.topology().address(node());
    assertTrue(get(node + ":10256/healthz").startsWith("HTTP/1.1 200"), "healthz");
    assertTrue(get(node + ":10256/livez").startsWith("HTTP/1.1 200"), "livez");
    String check =
        await("health check", () -> get(node + ":" + CHECK + "/"), text -> text.contains(" 200 "));
    assertTrue(check.contains("\"localEndpoints\":1"), check);
    write(lab.server().address(), true);
    await("503", () -> get(node + ":10256/healthz"), text -> text.contains(" 503 "));
    assertTrue(get(node + ":10256/livez").startsWith("HTTP/1.1 200"), "livez ignores its fate");
    write(lab.server().address(), false);
    await("200", () -> get(node + ":10256/healthz"), text -> text.contains(" 200 "));
  }

  private void move(GatunProcess gatun, String endpoint) throws Exception {
    write(endpoint, false);
    awaitEndpoint(gatun, endpoint);
  }

  private static void awaitEndpoint(GatunProcess gatun, String endpoint) throws Exception {
    await("endpoint " + endpoint, () -> services(gatun), text -> text.contains(endpoint));
  }

  private static String services(GatunProcess gatun) throws IOException {
    return AdminClient.ask(gatun.runDirectory().socket(), "services").toString();
  }

  /** Every name that dashboards and alerts ask for has a value. */
  private void metrics(GatunProcess gatun) throws Exception {
    move(gatun, "10.244.99.98");
    move(gatun, lab.server().address());
    String text = node().exec("curl", "-sS", "-m", "5", "http://127.0.0.1:10249/metrics").output();
    Exposition metrics = Exposition.of(text);
    TreeSet<String> missing = new TreeSet<>(Exposition.asked(KubeProxyQueries.ALL));
    missing.addAll(Exposition.asked(DeployTest.queries()));
    missing.removeAll(metrics.names());
    assertEquals(new TreeSet<>(), missing, text);
    assertEquals(
        "gauge", metrics.types().get("kubeproxy_sync_proxy_rules_no_local_endpoints_total"));
    assertEquals("histogram", metrics.types().get("kubeproxy_sync_proxy_rules_duration_seconds"));
    assertEquals("counter", metrics.types().get("kubeproxy_proxy_healthz_total"));
    assertTrue(metrics.value("kubeproxy_sync_proxy_rules_duration_seconds_count") > 0);
    assertTrue(metrics.value("kubeproxy_network_programming_duration_seconds_count") > 0);
    assertTrue(metrics.value("kubeproxy_proxy_healthz_total{code=\"503\"}") > 0);
    assertTrue(metrics.value("gatun_packets_total{verdict=\"sent\"}") > 0);
    assertEquals("histogram", metrics.types().get("gatun_worker_cycle_seconds"));
    assertTrue(metrics.value("gatun_worker_cycle_seconds_count{worker=\"0\"}") > 0);
    assertTrue(metrics.value("gatun_worker_cycle_seconds_sum{worker=\"0\"}") > 0);
    assertTrue(metrics.names().contains("gatun_stage_timed_packets_total"));
    assertTrue(metrics.value("gatun_stage_seconds_total{stage=\"parse\"}") >= 0);
    assertEquals(1, metrics.value("gatun_api_followed"));
    assertEquals(1, metrics.value("gatun_unenforced_network_policies"));
    assertEquals(4, metrics.value("gatun_fronts"), "two ports, cluster IP and node port");
  }

  /** The API server dies under traffic; the daemon dies too, and starts from the disk's state. */
  private void away(GatunProcess gatun) throws Exception {
    Process pulse = lab.client().node().spawn("pulse", lab.words("pulse", FRONT, "80", "4"));
    Thread.sleep(500);
    apiProcess.destroyForcibly().waitFor();
    assertEquals(0, pulse.waitFor());
    String lost = Files.readString(lab.client().node().runDirectory().resolve("pulse.log")).strip();
    assertEquals("0", lost.split(" ", -1)[1], "never came back: " + lost);
    gatun.process().destroyForcibly().waitFor();
    GatunProcess again = gatun();
    echo("objects of the disk");
    assertTrue(again.log().contains("objects as last known"), again.log());
    write("10.244.99.99", false);
    apiProcess = api.serve(node());
    awaitEndpoint(again, "10.244.99.99");
    move(again, lab.server().address());
    echo("objects of the API server, back again");
    again.stop();
    assertTrue(Files.notExists(again.runDirectory().path().resolve("objects.json")), "forgotten");
  }
}
