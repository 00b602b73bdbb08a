package io.gatun.control.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.ObjectSet;
import io.gatun.service.FrontKind;
import io.gatun.service.FrontSpec;
import io.gatun.service.FrontSpec.Masquerade;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrontsTest {
  private static final NodeView NODE =
      NodeView.of("n1", List.of(ip("192.0.2.1"), ip("2001:db8::1"))).withZone("z1");

  private static InetAddress ip(String literal) {
    return Objects.requireNonNull(Addresses.parse(literal));
  }

  private static ObjectSet objects(String text) {
    try {
      return ObjectSet.of(ManifestReader.read("m", text).objects());
    } catch (ManifestException e) {
      throw new AssertionError(e);
    }
  }

  private static String service(String spec) {
    return "---\n{apiVersion: v1, kind: Service, metadata: {name: web, namespace: d}, spec: {"
        + spec
        + "}}\n";
  }

  private static String slice(String name, String endpoints) {
    return "---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: "
        + name
        + ", namespace: d, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, ports:"
        + " [{name: http, port: 8080}], endpoints: ["
        + endpoints
        + "]}\n";
  }

  private static List<FrontSpec> fronts(String text, NodeView node) {
    return List.copyOf(new FrontTable().update(objects(text), node).changedOrNew());
  }

  private static FrontSpec front(FrontKind kind, String text) {
    return fronts(text, NODE).stream().filter(f -> f.kind() == kind).findFirst().orElseThrow();
  }

  private static String endpoints(FrontSpec front) {
    List<String> all = new ArrayList<>();
    front.endpoints().forEach(e -> all.add(e.getAddress().getHostAddress() + ":" + e.getPort()));
    return String.join(" ", all);
  }

  private static final String WEB =
      "clusterIP: 10.96.0.1, ports: [{name: http, port: 80, nodePort: 30080}], type: NodePort";

  @Test
  void shouldGiveEachAddressItsFront() {
    String text =
        service(
                    "type: LoadBalancer, clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00::1'],"
                        + " externalIPs: [198.51.100.9], ports: [{name: http, port: 80, nodePort:"
                        + " 30080}]")
                .replace("}}\n", "}, status: {loadBalancer: {ingress: [{ip: 198.51.100.1}]}}}\n")
            + slice("s", "{addresses: [10.1.0.2]}");
    List<String> all =
        fronts(text, NODE).stream()
            .map(f ->
                f.service()
                    + " "
                    + f.kind()
                    + " "
                    + f.address().getHostAddress()
                    + ":"
                    + f.port()
                    + " > "
                    + endpoints(f)
                    + (f.masquerade() == Masquerade.EVERYBODY ? " masquerade" : ""))
            .sorted()
            .toList();
    assertEquals(
        List.of(
            "d/web:http CLUSTER_IP 10.96.0.1:80 > 10.1.0.2:8080",
            "d/web:http CLUSTER_IP fd00:0:0:0:0:0:0:1:80 > ",
            "d/web:http EXTERNAL_IP 198.51.100.9:80 > 10.1.0.2:8080 masquerade",
            "d/web:http LOAD_BALANCER_IP 198.51.100.1:80 > 10.1.0.2:8080 masquerade",
            "d/web:http NODE_PORT 192.0.2.1:30080 > 10.1.0.2:8080 masquerade",
            "d/web:http NODE_PORT 2001:db8:0:0:0:0:0:1:30080 >  masquerade"),
        all);
  }

  @Test
  void shouldKnowWhoMayUseALoadBalancerAddress() {
    String text =
        service(
                "type: LoadBalancer, clusterIP: 10.96.0.1, loadBalancerSourceRanges: [' 192.0.2.0/24"
                    + " ', 'fd00::/8'], ports: [{name: http, port: 80}]")
            .replace("}}\n", "}, status: {loadBalancer: {ingress: [{ip: 198.51.100.1}]}}}\n");
    // The node is in the range, so the address itself may be the source.
    assertEquals(
        List.of("192.0.2.0/24", "198.51.100.1/32"),
        front(FrontKind.LOAD_BALANCER_IP, text).sourceRanges());
    assertEquals(List.of(), front(FrontKind.CLUSTER_IP, text).sourceRanges());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "clusterIP: None, ports: [{port: 80}] | {}",
        "clusterIP: '', ports: [{port: 80}] | {}",
        "ports: [{port: 80}] | {}",
        "type: ExternalName, externalName: example.org | {}",
        "clusterIP: 10.0.0.1, ports: [{port: 80}] | {service.kubernetes.io/headless: ''}",
        "clusterIP: 10.0.0.1, ports: [{port: 80}] | {service.kubernetes.io/service-proxy-name: x}",
      })
  void shouldLeaveTheServicesThatAreNotOurs(String spec, String labels) {
    String text = service(spec).replace("name: web,", "labels: " + labels + ", name: web,");
    assertTrue(fronts(text.replace("''", "\"\""), NODE).isEmpty());
  }

  @Test
  void shouldTakeTheServicesOfItsProxyName() {
    String text =
        service("clusterIP: 10.0.0.1, ports: [{port: 80}]")
            .replace(
                "name: web,", "labels: {service.kubernetes.io/service-proxy-name: x}, name: web,");
    assertEquals(
        "d/web",
        fronts(text, new NodeView("n", null, List.of(), Set.of(), Set.of(), "x", false, true))
            .getFirst()
            .service());
  }

  /** Endpoints in flow style; what cluster IP traffic may use; what Local node port traffic may. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // ready here and there
        "{addresses: [10.1.0.2], nodeName: n1}, {addresses: [10.1.0.3], nodeName: n2} | 10.1.0.2:8080 10.1.0.3:8080 | 10.1.0.2:8080",
        // only the first address counts
        "{addresses: [10.1.0.2, 10.1.0.9], nodeName: n1} | 10.1.0.2:8080 | 10.1.0.2:8080",
        // not ready
        "{addresses: [10.1.0.2], conditions: {ready: false, serving: false}} | '' | ''",
        // serving but neither ready nor terminating is not usable
        "{addresses: [10.1.0.2], conditions: {ready: false, serving: true}} | '' | ''",
        // terminating while another is ready
        "{addresses: [10.1.0.2], nodeName: n1, conditions: {ready: false, terminating: true}}, {addresses: [10.1.0.3], nodeName: n2} | 10.1.0.3:8080 | 10.1.0.2:8080",
        // only terminating ones: those that serve
        "{addresses: [10.1.0.2], conditions: {ready: false, terminating: true}}, {addresses: [10.1.0.3], conditions: {ready: false, serving: false, terminating: true}} | 10.1.0.2:8080 | ''",
        // zone hints on every ready endpoint
        "{addresses: [10.1.0.2], hints: {forZones: [{name: z1}]}}, {addresses: [10.1.0.3], nodeName: n1, hints: {forZones: [{name: z2}]}} | 10.1.0.2:8080 | 10.1.0.3:8080",
        // one ready endpoint without a hint: all
        "{addresses: [10.1.0.2], hints: {forZones: [{name: z1}]}}, {addresses: [10.1.0.3]} | 10.1.0.2:8080 10.1.0.3:8080 | ''",
        // no hint for this zone: all
        "{addresses: [10.1.0.2], hints: {forZones: [{name: z2}]}} | 10.1.0.2:8080 | ''",
        // node hints come before zone hints
        "{addresses: [10.1.0.2], hints: {forNodes: [{name: n2}], forZones: [{name: z1}]}}, {addresses: [10.1.0.3], hints: {forNodes: [{name: n1}], forZones: [{name: z1}]}} | 10.1.0.3:8080 | ''",
      })
  void shouldChooseTheUsableEndpoints(String endpoints, String cluster, String local) {
    String text = service(WEB + ", externalTrafficPolicy: Local") + slice("s", endpoints);
    assertEquals(cluster, endpoints(front(FrontKind.CLUSTER_IP, text)));
    FrontSpec nodePort = front(FrontKind.NODE_PORT, text);
    assertEquals(local, endpoints(nodePort));
    assertEquals(Masquerade.NOBODY, nodePort.masquerade());
    // Endpoints elsewhere but none here: drop. None at all: reject.
    assertEquals(cluster.isEmpty(), nodePort.backends().cluster().isEmpty());
  }

  @Test
  void shouldTakeAnEndpointOfSeveralSlicesOnceAndTheLivingOneOfThem() {
    String dying = "{addresses: [10.1.0.2], conditions: {ready: false, terminating: true}}";
    String living = "{addresses: [10.1.0.2]}";
    for (String text :
        List.of(
            service(WEB) + slice("a", dying) + slice("b", living),
            service(WEB) + slice("a", living) + slice("b", dying))) {
      assertEquals("10.1.0.2:8080", endpoints(front(FrontKind.CLUSTER_IP, text)));
    }
  }

  @Test
  void shouldMatchSlicePortsByNameAndProtocolAndIgnoreStrangersSlices() {
    String text =
        service(WEB)
            + slice("a", "{addresses: [10.1.0.2]}").replace("name: http", "name: other")
            + slice("b", "{addresses: [10.1.0.3]}").replace("port: 8080", "port: 1, protocol: UDP")
            + slice("c", "{addresses: [10.1.0.4]}").replace("namespace: d", "namespace: e")
            + slice("d", "{addresses: [10.1.0.5]}").replace("name: web", "name: web")
            + slice("e", "{addresses: [10.1.0.6]}").replace("service-name: web", "service-name: x");
    assertEquals("10.1.0.5:8080", endpoints(front(FrontKind.CLUSTER_IP, text)));
  }

  @Test
  void shouldUseLocalEndpointsForInternalPolicyLocal() {
    String text =
        service(WEB + ", internalTrafficPolicy: Local")
            + slice("a", "{addresses: [10.1.0.2], nodeName: n2}");
    FrontSpec front = front(FrontKind.CLUSTER_IP, text);
    assertTrue(front.endpoints().isEmpty() && !front.backends().cluster().isEmpty());
    assertEquals("10.1.0.2:8080", endpoints(front(FrontKind.NODE_PORT, text)));
  }

  @Test
  void shouldMasqueradeClusterIpsWhenAskedFor() {
    NodeView all = new NodeView("n1", null, List.of(), Set.of(), Set.of(), "", true, true);
    assertEquals(Masquerade.EVERYBODY, fronts(service(WEB), all).getFirst().masquerade());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | 192.0.2.1 2001:db8::1",
        "primary | 192.0.2.1 2001:db8::1",
        "all | 192.0.2.1 198.51.100.1 2001:db8::1",
        "198.51.100.0/24 | 198.51.100.1 2001:db8::1",
        "198.51.100.0/24 2001:db9::/32 | 198.51.100.1",
        "127.0.0.0/8 | 2001:db8::1",
        "localhost primary | 192.0.2.1 2001:db8::1",
        "primary 198.51.100.0/24 | 192.0.2.1 198.51.100.1 2001:db8::1",
      })
  void shouldChooseNodePortAddresses(String rules, String expected) {
    List<InetAddress> primary = List.of(ip("192.0.2.1"), ip("2001:db8::1"));
    List<InetAddress> local =
        List.of(ip("127.0.0.1"), ip("192.0.2.1"), ip("198.51.100.1"), ip("2001:db8::1"), ip("::1"));
    List<InetAddress> chosen =
        NodePortAddresses.choose(
            rules.isEmpty() ? List.of() : List.of(rules.split(" ", -1)), primary, local);
    List<InetAddress> wanted = new ArrayList<>();
    for (String address : expected.split(" ", -1)) {
      wanted.add(ip(address));
    }
    assertEquals(wanted, chosen);
  }

  @Test
  void shouldChangeOnlyWhatChanged() {
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < 1000; i++) {
      many.append(
          service("clusterIP: 10.97.%d.%d, ports: [{port: 80}]".formatted(i / 250, i % 250))
              .replace("name: web", "name: web" + i));
    }
    FrontTable table = new FrontTable();
    assertEquals(1000, table.update(objects(many.toString()), NODE).changedOrNew().size());
    assertTrue(table.update(objects(many.toString()), NODE).isEmpty());
    FrontChange one =
        table.update(objects(many.toString().replace("10.97.3.7,", "10.99.0.1,")), NODE);
    assertEquals(ip("10.99.0.1"), one.changedOrNew().getFirst().address());
    assertEquals(ip("10.97.3.7"), one.removed().getFirst().address());
    assertEquals(2, one.changedOrNew().size() + one.removed().size());
    assertEquals(1000, table.update(ObjectSet.EMPTY, NODE).removed().size());
    assertTrue(table.fronts().isEmpty());
  }

  @Test
  void shouldGiveAContestedFrontToTheClusterIpAndBackWhenItGoes() {
    String owner = service("clusterIP: 10.0.0.1, ports: [{port: 80}]");
    String thief =
        service("clusterIP: 10.0.0.2, externalIPs: [10.0.0.1], ports: [{port: 80}]")
            .replace("name: web", "name: a");
    FrontTable table = new FrontTable();
    FrontChange first = table.update(objects(thief + owner), NODE);
    assertEquals(2, first.changedOrNew().size());
    assertEquals("d/web", owner(table, "10.0.0.1"));
    FrontChange second = table.update(objects(thief), NODE);
    assertEquals(1, second.changedOrNew().size());
    assertTrue(second.removed().isEmpty());
    assertEquals("d/a", owner(table, "10.0.0.1"));
  }

  private static String owner(FrontTable table, String address) {
    return table.fronts().stream()
        .filter(f -> f.address().equals(ip(address)))
        .findFirst()
        .orElseThrow()
        .service();
  }
}
