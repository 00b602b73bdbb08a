package io.gatun.agent.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.agent.config.Configuration;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.metrics.Exposition;
import io.gatun.control.document.Documents;
import io.gatun.control.document.Field;
import io.gatun.control.kubernetes.ApiObserver;
import io.gatun.control.kubernetes.ApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code kubectl apply -f deploy/} would put into a cluster. */
public class DeployTest {
  private static final Path DEPLOY = Path.of("..", "deploy");

  private static List<Field> objects() throws IOException {
    List<Field> objects = new ArrayList<>();
    try (Stream<Path> files = Files.list(DEPLOY)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList()) {
        objects.addAll(Documents.read(Files.readString(file)));
      }
    }
    return objects;
  }

  private static Field one(String kind) throws IOException {
    List<Field> found = objects().stream().filter(object -> object.at("kind").says(kind)).toList();
    assertEquals(1, found.size(), kind);
    return found.getFirst();
  }

  private static Set<String> words(Field list) {
    return new TreeSet<>(list.items(Field::text));
  }

  @Test
  void shouldHoldTheKindsThatKubectlApplies() throws IOException {
    List<String> kinds = new ArrayList<>();
    for (Field object : objects()) {
      assertFalse(object.at("apiVersion").text().isEmpty());
      assertFalse(object.at("metadata").at("name").text().isEmpty());
      kinds.add(object.at("kind").text());
    }
    kinds.sort(null);
    assertEquals(
        List.of("ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet", "ServiceAccount"),
        kinds);
  }

  /** The configuration loads, and the kubeconfig is one. */
  @Test
  void shouldHoldAConfigurationThatLoads(@TempDir Path folder) throws Exception {
    Field data = one("ConfigMap").at("data");
    Path config = Files.writeString(folder.resolve("config.yaml"), data.at("config.yaml").text());
    GatunConfiguration read = Configuration.read(config);
    assertEquals(10249, read.proxy().metricsBindAddress().getPort());
    assertEquals(10256, read.proxy().healthzBindAddress().getPort());
    Path kubeconfig =
        Files.writeString(
            folder.resolve("kubeconfig.conf"),
            data.at("kubeconfig.conf").text().replaceFirst("certificate-authority: .*", ""));
    try (ApiServer server = ApiServer.ofKubeconfig(kubeconfig, ApiObserver.NONE)) {
      assertEquals("https://192.168.0.10:6443", server.url());
    }
  }

  /** Least privilege: what is listed and watched, no more verbs, and no other resource. */
  @Test
  void shouldAllowWhatIsAskedAndNothingElse() throws IOException {
    Set<String> allowed = new TreeSet<>();
    for (Field rule : one("ClusterRole").at("rules").items()) {
      assertEquals(Set.of("list", "watch"), words(rule.at("verbs")));
      for (String group : words(rule.at("apiGroups"))) {
        words(rule.at("resources")).forEach(resource -> allowed.add(group + "/" + resource));
      }
    }
    assertEquals(
        new TreeSet<>(
            Set.of(
                "/services",
                "/nodes",
                "/pods",
                "discovery.k8s.io/endpointslices",
                "networking.k8s.io/servicecidrs",
                "networking.k8s.io/networkpolicies")),
        allowed);
  }

  @Test
  void shouldRunUnprivilegedButForItsCapabilities() throws IOException {
    Field pod = one("DaemonSet").at("spec").at("template").at("spec");
    assertTrue(pod.at("hostNetwork").flag(false));
    assertFalse(pod.at("hostPID").flag(false));
    Field container = pod.at("containers").items().getFirst();
    Field security = container.at("securityContext");
    assertFalse(security.at("privileged").flag(true));
    assertFalse(security.at("allowPrivilegeEscalation").flag(true));
    assertEquals(Set.of("ALL"), words(security.at("capabilities").at("drop")));
    assertEquals(
        new TreeSet<>(Set.of("NET_ADMIN", "NET_RAW", "BPF", "IPC_LOCK", "SYS_NICE")),
        words(security.at("capabilities").at("add")),
        "as docs/operations.md says under Rights");
    Set<String> volumes =
        new TreeSet<>(pod.at("volumes").items(volume -> volume.at("name").text()));
    assertEquals(
        volumes,
        new TreeSet<>(container.at("volumeMounts").items(mount -> mount.at("name").text())));
    assertEquals(
        one("ServiceAccount").at("metadata").at("name").text(),
        pod.at("serviceAccountName").text());
  }

  /** Every metric that the dashboard and the alerts ask for is named in the operations page. */
  @Test
  void shouldAskForMetricsThatAreDocumented() throws IOException {
    String page = Files.readString(Path.of("..", "docs", "operations.md"));
    for (String metric : Exposition.asked(queries())) {
      String name = metric.replaceFirst("_(bucket|sum|count)$", "");
      assertTrue(
          page.contains(name) || metric.startsWith("process_") || metric.startsWith("rest_"), name);
    }
  }

  /** All that deploy/monitoring asks Prometheus. */
  public static String queries() throws IOException {
    StringBuilder queries = new StringBuilder();
    JsonNode dashboard =
        new ObjectMapper().readTree(DEPLOY.resolve("monitoring/grafana-dashboard.json").toFile());
    for (JsonNode panel : dashboard.get("panels")) {
      panel
          .get("targets")
          .forEach(target -> queries.append(target.get("expr").asText()).append('\n'));
    }
    Field alerts =
        Documents.read(Files.readString(DEPLOY.resolve("monitoring/alerts.yaml"))).getFirst();
    for (Field rule : alerts.at("groups").items().getFirst().at("rules").items()) {
      queries.append(rule.at("expr").text()).append('\n');
    }
    return queries.toString();
  }
}
