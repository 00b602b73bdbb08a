package io.gatun.control.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.EndpointSlice;
import io.gatun.control.model.EndpointState;
import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.NetworkPolicy;
import io.gatun.control.model.Node;
import io.gatun.control.model.Pod;
import io.gatun.control.model.Service;
import io.gatun.control.model.ServiceCidr;
import io.gatun.control.model.ServicePort;
import io.gatun.control.model.SlicePort;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is read back equal: every field of every object. */
final class ObjectWriterTest {
  private static final String ALL =
      """
      apiVersion: v1
      kind: Service
      metadata:
        name: all
        namespace: shop
        labels: {service.kubernetes.io/headless: "", service.kubernetes.io/service-proxy-name: other}
        annotations:
          gatun.io/algorithm: least-connection
          gatun.io/weights: "10.244.1.5=3, node-2=10"
          gatun.io/affinity-ipv6-prefix: "64"
      spec:
        type: LoadBalancer
        clusterIPs: [10.96.0.80, "fd00:96::80"]
        externalIPs: [192.0.2.1]
        loadBalancerSourceRanges: [10.0.0.0/8, "2001:db8::/32"]
        ports:
          - {name: http, port: 80, nodePort: 30080}
          - {name: dns, protocol: UDP, port: 53, nodePort: 30053}
          - {name: sig, protocol: SCTP, port: 3868}
        internalTrafficPolicy: Local
        externalTrafficPolicy: Local
        sessionAffinity: ClientIP
        sessionAffinityConfig: {clientIP: {timeoutSeconds: 600}}
        healthCheckNodePort: 32000
      status: {loadBalancer: {ingress: [{ip: 203.0.113.7}, {ip: 203.0.113.8, ipMode: Proxy}]}}
      ---
      {apiVersion: v1, kind: Service, metadata: {name: plain, namespace: default}, spec: {clusterIP: None}}
      ---
      {apiVersion: v1, kind: Service, metadata: {name: np, namespace: default}, spec: {type: NodePort, clusterIP: 10.96.0.81, ports: [{port: 1}]}}
      ---
      {apiVersion: v1, kind: Service, metadata: {name: en, namespace: default}, spec: {type: ExternalName, externalName: a.example}}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: all-1, namespace: shop, labels: {kubernetes.io/service-name: all}}
      addressType: IPv6
      ports: [{name: http, port: 8080}, {port: 53, protocol: UDP, name: dns}, {name: none}]
      endpoints:
        - addresses: ["fd00:244::5", "fd00:244::6"]
          conditions: {ready: false, serving: true, terminating: true}
          nodeName: node-1
          hints: {forZones: [{name: a}, {name: b}], forNodes: [{name: node-1}]}
        - addresses: ["fd00:244::7"]
      ---
      {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: loose, namespace: shop}, addressType: IPv4, endpoints: [{addresses: [10.244.0.7], conditions: {serving: false}}]}
      ---
      apiVersion: v1
      kind: Node
      metadata:
        name: node-1
        labels: {topology.kubernetes.io/zone: a}
        annotations: {flannel.alpha.coreos.com/public-ip: 192.168.0.11, flannel.alpha.coreos.com/backend-data: '{"VNI":1}'}
      spec: {podCIDRs: [10.244.1.0/24, "fd00:244:1::/64"], taints: [{key: ToBeDeletedByClusterAutoscaler}]}
      status: {addresses: [{type: InternalIP, address: 192.168.0.11}, {type: Hostname, address: node-1}]}
      ---
      {apiVersion: v1, kind: Node, metadata: {name: bare}}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: p, namespace: shop, labels: {app: web, tier: front}}
      spec:
        nodeName: node-1
        hostNetwork: true
        containers: [{ports: [{containerPort: 80, hostPort: 8080, hostIP: 192.168.0.11}, {containerPort: 53, hostPort: 53, protocol: UDP}]}]
      status: {phase: Failed, podIPs: [{ip: 10.244.1.9}, {ip: "fd00::9"}]}
      ---
      {apiVersion: v1, kind: Pod, metadata: {name: q, namespace: shop}, spec: {containers: []}}
      ---
      {apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: kubernetes}, spec: {cidrs: [10.96.0.0/12, "fd00:96::/108"]}}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: deny, namespace: shop}
      spec:
        podSelector:
          matchLabels: {app: web}
          matchExpressions:
            - {key: tier, operator: In, values: [front, back]}
            - {key: tier, operator: NotIn, values: [x]}
            - {key: app, operator: Exists}
            - {key: y, operator: DoesNotExist}
      """;

  @TempDir private Path directory;

  @Test
  void shouldReadBackWhatItWrote() throws Exception {
    List<KubernetesObject> objects = ManifestReader.read("all", ALL).objects();
    assertEquals(12, objects.size());
    StateFile file = new StateFile(directory.resolve("objects.json"), "here");
    file.write(objects);
    assertEquals(objects, file.read());
    file.write(List.of());
    assertEquals(List.of(), file.read());
  }

  /** Who adds a field teaches {@link ObjectWriter} to write it, and the text above to have it. */
  @Test
  void shouldKnowEveryField() {
    Map<String, Integer> fields = new TreeMap<>();
    for (Class<?> type :
        List.of(
            Service.class,
            ServicePort.class,
            EndpointSlice.class,
            SlicePort.class,
            EndpointState.class,
            Node.class,
            Pod.class,
            Pod.HostPort.class,
            ServiceCidr.class,
            NetworkPolicy.class)) {
      fields.put(type.getSimpleName(), type.getRecordComponents().length);
    }
    assertEquals(
        new TreeMap<>(
            Map.of(
                "Service", 16,
                "ServicePort", 4,
                "EndpointSlice", 5,
                "SlicePort", 3,
                "EndpointState", 7,
                "Node", 6,
                "Pod", 7,
                "HostPort", 4,
                "ServiceCidr", 2,
                "NetworkPolicy", 2)),
        fields);
  }
}
