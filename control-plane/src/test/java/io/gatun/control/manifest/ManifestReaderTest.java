package io.gatun.control.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.control.document.Addresses;
import io.gatun.control.document.Prefix;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.Node;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.Protocol;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServiceCidr;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.SlicePort;
import io.gatun.control.model.TrafficPolicy;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestReaderTest {
  /** As kubectl get -o yaml prints it, with what means nothing here left in. */
  private static final String KUBECTL =
      """
      apiVersion: v1
      items:
      - apiVersion: v1
        kind: Service
        metadata:
          annotations:
            kubectl.kubernetes.io/last-applied-configuration: |
              {"apiVersion":"v1","kind":"Service"}
          creationTimestamp: "2026-11-01T10:00:00Z"
          labels:
            app: web
          name: web
          namespace: shop
          resourceVersion: "4711"
          uid: 6f1c0f6e-0000-4000-8000-000000000000
        spec:
          allocateLoadBalancerNodePorts: true
          clusterIP: 10.96.0.10
          clusterIPs:
          - 10.96.0.10
          - fd00::10
          externalIPs: [192.0.2.1]
          externalTrafficPolicy: Local
          healthCheckNodePort: 31000
          internalTrafficPolicy: Cluster
          ipFamilies: [IPv4, IPv6]
          ipFamilyPolicy: PreferDualStack
          loadBalancerSourceRanges: [" 10.0.0.0/8 "]
          ports:
          - {name: http, nodePort: 30080, port: 80, protocol: TCP, targetPort: http}
          - {name: dns, port: 53, protocol: UDP, targetPort: 5353}
          selector:
            app: web
          sessionAffinity: ClientIP
          sessionAffinityConfig: {clientIP: {timeoutSeconds: 600}}
          type: LoadBalancer
        status:
          loadBalancer:
            ingress:
            - {ip: 198.51.100.1, ipMode: VIP}
            - {ip: 198.51.100.2, ipMode: Proxy}
            - {hostname: lb.example.org}
            - {ip: 198.51.100.3}
      - addressType: IPv4
        apiVersion: discovery.k8s.io/v1
        endpoints:
        - addresses: [10.1.0.2, 10.1.0.99]
          conditions: {ready: true, serving: true, terminating: false}
          nodeName: node-1
          targetRef: {kind: Pod, name: web-1, namespace: shop}
          zone: z1
          hints: {forZones: [{name: z1}], forNodes: [{name: node-1}]}
        - addresses: [010.001.000.003]
        kind: EndpointSlice
        metadata:
          labels:
            kubernetes.io/service-name: web
          name: web-abc
          namespace: shop
        ports:
        - {name: http, port: 8080, protocol: TCP}
        - {name: nothing}
      kind: List
      metadata:
        resourceVersion: ""
      """;

  private static ManifestReader.Manifest read(String text) throws ManifestException {
    return ManifestReader.read("m.yaml", text);
  }

  @Test
  void shouldReadWhatKubectlPrints() throws ManifestException {
    ManifestReader.Manifest manifest = read(KUBECTL);
    Service service = assertInstanceOf(Service.class, manifest.objects().getFirst());
    assertEquals("shop/web", service.name().toString());
    assertEquals(Service.Type.LOAD_BALANCER, service.type());
    assertEquals(
        List.of("10.96.0.10", "fd00:0:0:0:0:0:0:10"),
        service.clusterIPs().stream().map(a -> a.getHostAddress()).toList());
    assertEquals(
        List.of(
            new ServicePort("http", Protocol.TCP, 80, 30080),
            new ServicePort("dns", Protocol.UDP, 53, 0)),
        service.ports());
    assertEquals(
        List.of("198.51.100.1", "198.51.100.3"),
        service.loadBalancerIPs().stream().map(a -> a.getHostAddress()).toList());
    assertEquals(
        List.of(Objects.requireNonNull(Prefix.parse("10.0.0.0/8"))), service.sourceRanges());
    assertEquals(TrafficPolicy.LOCAL, service.externalPolicy());
    assertEquals(TrafficPolicy.CLUSTER, service.internalPolicy());
    assertEquals(600, service.affinitySeconds());
    assertEquals(31000, service.healthCheckNodePort());

    EndpointSlice slice = assertInstanceOf(EndpointSlice.class, manifest.objects().get(1));
    assertEquals(service.name(), slice.service());
    assertEquals(List.of(new SlicePort("http", Protocol.TCP, 8080)), slice.ports());
    assertEquals(Addresses.parse("10.1.0.2"), slice.endpoints().get(0).address());
    assertEquals(List.of("z1"), slice.endpoints().get(0).zoneHints());
    assertEquals(List.of("node-1"), slice.endpoints().get(0).nodeHints());
    // Leading zeros are decimal; conditions that are nil are ready, serving, not terminating.
    assertEquals(Addresses.parse("10.1.0.3"), slice.endpoints().get(1).address());
    assertTrue(slice.endpoints().get(1).ready() && slice.endpoints().get(1).serving());
    assertEquals(false, slice.endpoints().get(1).terminating());
  }

  @Test
  void shouldReadJsonAlsoWhenItIsIndentedByTabs() throws ManifestException {
    ManifestReader.Manifest manifest =
        read(
            "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ServiceList\",\n\t\"items\": [\n\t\t{"
                + "\"metadata\": {\"name\": \"a\\u002db\", \"namespace\": \"x\"},\n\t\t"
                + "\"spec\":{\"clusterIP\":\"10.0.0.1\",\"ports\":[{\"port\":80}]}}\n\t]\n}\n");
    assertEquals(new ObjectName("x", "a-b"), manifest.objects().getFirst().name());
  }

  @Test
  void shouldReadNodesAndServiceCidrs() throws ManifestException {
    ManifestReader.Manifest manifest =
        read(
            """
            apiVersion: v1
            kind: Node
            metadata:
              name: node-1
              labels: {topology.kubernetes.io/zone: z1}
              annotations: {flannel.alpha.coreos.com/public-ip: 192.0.2.7, other: x}
            spec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.1.0.0/24, "fd00::/64"]}
            status:
              addresses:
              - {type: InternalIP, address: 192.0.2.7}
              - {type: Hostname, address: node-1}
            ---
            apiVersion: networking.k8s.io/v1
            kind: ServiceCIDR
            metadata: {name: kubernetes}
            spec: {cidrs: [10.96.0.0/12]}
            """);
    Node node = assertInstanceOf(Node.class, manifest.objects().get(0));
    assertEquals("z1", node.zone());
    assertEquals(2, node.podCidrs().size());
    assertEquals("192.0.2.7", node.flannel().get("public-ip"));
    assertEquals("192.0.2.7", node.internalIPs().getFirst().getHostAddress());
    ServiceCidr cidr = assertInstanceOf(ServiceCidr.class, manifest.objects().get(1));
    assertEquals("10.96.0.0/12", cidr.cidrs().getFirst().toString());
  }

  @Test
  void shouldPassOverUnknownKindsAndNameThemOnce() throws ManifestException {
    ManifestReader.Manifest manifest =
        read(
            """
            {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: [whatever]}
            ---
            # only a comment
            ---
            {apiVersion: apps/v1, kind: Deployment, metadata: {name: b}}
            ---
            {apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: c}}
            """);
    assertTrue(manifest.objects().isEmpty());
    assertEquals(
        List.of("Deployment (apps/v1)", "Service (serving.knative.dev/v1)"),
        List.copyOf(manifest.ignored()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "ports: [{port: http}] | spec.ports[0].port: got \"http\", expected an integer from 1 to 65535",
        "ports: [{port: 0}] | spec.ports[0].port: got 0, expected an integer from 1 to 65535",
        "ports: [{port: 65536}] | spec.ports[0].port: got 65536, expected an integer from 1 to 65535",
        "ports: [{port: 8.5}] | spec.ports[0].port: got 8.5, expected an integer from 1 to 65535",
        "ports: [{}] | spec.ports[0].port: got nothing, expected an integer from 1 to 65535",
        "ports: 80 | spec.ports: got 80, expected a list",
        "ports: [] | spec.ports: got a list, expected at least one port",
        "ports: [80] | spec.ports[0]: got 80, expected a mapping",
        "ports: [{port: 80, protocol: tcp}] | spec.ports[0].protocol: got \"tcp\", expected one of TCP, UDP, SCTP",
        "ports: [{port: 80, name: 80}] | spec.ports[0].name: got 80, expected a string (put it in quotes)",
        "ports: [{port: 80, nodePort: 70000}] | spec.ports[0].nodePort: got 70000, expected an integer from 0 to 65535",
        "ports: [{port: 80}, {port: 81, name: b}] | spec.ports[0].name: got nothing, expected a name, because there are several ports",
        "ports: [{port: 80, name: b}, {port: 81, name: b}] | spec.ports[1].name: got \"b\", expected a name that no other port has",
        "ports: [{port: 80, name: a}, {port: 80, name: b}] | spec.ports[1].port: got 80, expected a port that no other entry has for this protocol",
        "type: clusterip | spec.type: got \"clusterip\", expected one of ClusterIP, NodePort, LoadBalancer, ExternalName",
        "externalTrafficPolicy: local | spec.externalTrafficPolicy: got \"local\", expected one of Cluster, Local",
        "internalTrafficPolicy: [] | spec.internalTrafficPolicy: got a list, expected one of Cluster, Local",
        "externalIPs: [1.2.3] | spec.externalIPs[0]: got \"1.2.3\", expected an IP address",
        "externalIPs: [1.2.3.256] | spec.externalIPs[0]: got \"1.2.3.256\", expected an IP address",
        "clusterIPs: [10.0.0.2] | spec.clusterIP: got \"10.0.0.1\", expected the same address as spec.clusterIPs[0]",
        "clusterIPs: [10.0.0.1, 10.0.0.2] | spec.clusterIPs[1]: got \"10.0.0.2\", expected one address of each family at most",
        "sessionAffinity: Cookie | spec.sessionAffinity: got \"Cookie\", expected one of None, ClientIP",
        "loadBalancerSourceRanges: [10.0.0.0] | spec.loadBalancerSourceRanges[0]: got \"10.0.0.0\", expected a CIDR",
      })
  void shouldNameTheMistakeInAService(String line, String expected) {
    String ports = line.startsWith("ports") ? "" : "\n  ports: [{port: 80}]";
    ManifestException mistake =
        assertThrows(
            ManifestException.class,
            () ->
                read(
                    """
                    apiVersion: v1
                    kind: Service
                    metadata: {name: web}
                    spec:
                      clusterIP: 10.0.0.1
                      %s\
                    """
                            .formatted(line)
                        + ports));
    assertEquals("m.yaml: Service default/web: " + expected, mistake.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "addressType: ipv4 | addressType: got \"ipv4\", expected one of IPv4, IPv6, FQDN",
        "addressType: IPv4, endpoints: [{}] | endpoints[0].addresses: got nothing, expected at least one address",
        "addressType: IPv4, endpoints: [{addresses: []}] | endpoints[0].addresses: got a list, expected at least one address",
        "addressType: IPv4, endpoints: [{addresses: [\"fd00::1\"]}] | endpoints[0].addresses[0]: got \"fd00::1\", expected an IPv4 address",
        "addressType: IPv6, endpoints: [{addresses: [10.0.0.1]}] | endpoints[0].addresses[0]: got \"10.0.0.1\", expected an IPv6 address",
        "addressType: IPv4, endpoints: [{addresses: [10.0.0.1], conditions: {ready: yes}}] | endpoints[0].conditions.ready: got \"yes\", expected true or false",
        "addressType: IPv4, ports: [{port: 80, protocol: ICMP}] | ports[0].protocol: got \"ICMP\", expected one of TCP, UDP, SCTP",
        "addressType: IPv4, ports: {port: 80} | ports: got a mapping, expected a list",
      })
  void shouldNameTheMistakeInASlice(String fields, String expected) {
    ManifestException mistake =
        assertThrows(
            ManifestException.class,
            () ->
                read(
                    "{apiVersion: v1, kind: List, items: [{apiVersion: discovery.k8s.io/v1, kind:"
                        + " EndpointSlice, metadata: {name: s, namespace: n}, %s}]}"
                            .formatted(fields)));
    assertEquals("m.yaml: EndpointSlice n/s: " + expected, mistake.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "just text | m.yaml: got \"just text\", expected a mapping",
        "a: b: c | m.yaml: line 1, column 5: not YAML: mapping values are not allowed here",
        "{a: 1, a: 2} | m.yaml: line 1: a is there twice",
        "a: *b | m.yaml: line 1: alias of nothing: *b",
        "kind: Service | m.yaml: apiVersion: got nothing, expected a string",
        "apiVersion: v1 | m.yaml: kind: got nothing, expected a string",
        "{apiVersion: v1, kind: Service, spec: {}} | m.yaml: Service: metadata.name: got nothing, expected a string",
        "{apiVersion: v1, kind: Service, metadata: {name: a}} | m.yaml: Service default/a: spec: got nothing, expected a mapping",
        "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service}]} | m.yaml: Service items[0]: metadata.name: got nothing, expected a string",
        "{apiVersion: v1, kind: List, items: [{kind: Service}]} | m.yaml: items[0]: apiVersion: got nothing, expected a string",
        "{apiVersion: v1, kind: List, items: 7} | m.yaml: items: got 7, expected a list",
      })
  void shouldNameTheMistakeInTheText(String text, String expected) {
    ManifestException mistake = assertThrows(ManifestException.class, () -> read(text));
    assertEquals(expected, mistake.getMessage());
  }

  @Test
  void shouldBoundWhatAHostileTextCosts() {
    StringBuilder laughs = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
      laughs.append("a%d: &a%d [".formatted(i, i));
      laughs.append("*a%d,".formatted(i - 1).repeat(9)).append("*a%d]\n".formatted(i - 1));
    }
    assertRefused(laughs.toString(), "aliases stand for more than 100000 values");
    assertRefused("[".repeat(100_000), "nested deeper than 64 levels");
    assertRefused("{a: ".repeat(100_000), "nested deeper than 64 levels");
    assertRefused("a: &a [*a]", "alias of nothing: *a");
  }

  private static void assertRefused(String text, String reason) {
    String message =
        String.valueOf(assertThrows(ManifestException.class, () -> read(text)).getMessage());
    assertTrue(message.endsWith(reason), message);
    assertEquals(1, message.lines().count());
  }
}
