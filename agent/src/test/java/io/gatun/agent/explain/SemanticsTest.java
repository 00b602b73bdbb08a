package io.gatun.agent.explain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * semantics.md, sentence by sentence: what explain says, and that a real packet through the
 * worker's stages meets the same fate.
 */
class SemanticsTest {
  /** node-1 with a pod network, an uplink and pods' interfaces; routes to all of it. */
  private static final String NODE =
      """
      node: node-1
      nodeAddresses: [192.168.0.2, "2001:db8::2", 192.168.1.2]
      serviceCIDRs: [10.96.0.0/16, "fd00:96::/112"]
      podNetworks: [10.244.0.0/16, "fd00:244::/56"]
      interfaces: [{name: eth0, role: uplink}, {name: "cali*", role: pod}]
      """;

  private static final String NODES =
      """
      ---
      {apiVersion: v1, kind: Node, metadata: {name: node-1, labels: {topology.kubernetes.io/zone: z1}},
       spec: {podCIDRs: [10.244.0.0/24, "fd00:244::/64"]}}
      """;

  @TempDir private Path folder;

  private static String service(String spec) {
    return "---\n{apiVersion: v1, kind: Service, metadata: {name: web, namespace: d}, spec: {"
        + spec
        + ", ports: [{name: http, port: 80, nodePort: 30080}]},"
        + " status: {loadBalancer: {ingress: [{ip: 203.0.113.80}]}}}\n";
  }

  private static String slice(String endpoints) {
    return "---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-"
        + Integer.toHexString(endpoints.hashCode())
        + ", namespace: d, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, ports:"
        + " [{name: http, port: 8080}], endpoints: ["
        + endpoints
        + "]}\n";
  }

  private static final String LB =
      "type: LoadBalancer, clusterIP: 10.96.0.10, externalIPs: [198.51.100.9]";
  private static final String HERE = "{addresses: [10.244.0.5], nodeName: node-1}";
  private static final String THERE = "{addresses: [10.244.1.6], nodeName: node-2}";
  private static final String BOTH = slice(HERE + ", " + THERE);

  /**
   * A sentence, a configuration beyond {@link #NODE}, objects, a flow, and what must come of it:
   * "verdict REASON" or "verdict frontend candidates[ masquerade][ affinity]".
   */
  record Sentence(String says, String config, String objects, String flow, String expected) {
    @Override
    public String toString() {
      return says + ": " + flow;
    }
  }

  private static Sentence s(
      String says, String config, String objects, String flow, String expected) {
    return new Sentence(says, config, objects, flow, expected);
  }

  private static Stream<Sentence> sentences() {
    String web = service(LB);
    String local = service(LB + ", externalTrafficPolicy: Local");
    String internal = service(LB + ", internalTrafficPolicy: Local");
    String two = "10.244.0.5:8080 10.244.1.6:8080";
    String fromPod = "TCP 10.244.0.77:4000 > 10.96.0.10:80";
    String route = "route";
    List<Sentence> all = new ArrayList<>();
    // 1. From objects to endpoints
    for (String spec :
        List.of("clusterIP: None", "clusterIP: ''", "type: ExternalName, externalName: a.b")) {
      all.add(
          s(
              "1: not taken with " + spec,
              "",
              service(spec) + BOTH,
              "TCP 10.244.0.77:1 > 192.168.0.2:30080",
              "local"));
    }
    for (String label :
        List.of("service.kubernetes.io/headless", "service.kubernetes.io/service-proxy-name")) {
      all.add(
          s(
              "1: not taken with label " + label,
              "",
              web.replace("name: web, ", "name: web, labels: {" + label + ": x}, ") + BOTH,
              fromPod,
              "drop UNASSIGNED_SERVICE_ADDRESS"));
    }
    all.add(
        s(
            "1: a proxy name that is ours",
            "serviceProxyName: x\n",
            web.replace(
                    "name: web, ",
                    "name: web, labels: {service.kubernetes.io/service-proxy-name: x}, ")
                + BOTH,
            fromPod,
            "forward clusterIP " + two));
    all.add(
        s(
            "1: only addresses[0] counts",
            "",
            web + slice("{addresses: [10.244.0.5, 10.244.0.6]}"),
            fromPod,
            "forward clusterIP 10.244.0.5:8080"));
    all.add(
        s(
            "1: a slice port that is nil or 0 is skipped",
            "",
            web + BOTH.replace("port: 8080", "port: 0"),
            fromPod,
            "reject NO_ENDPOINTS"));
    all.add(
        s(
            "1: one family per slice",
            "",
            web + BOTH + slice("{addresses: ['fd00:244::5']}").replace("IPv4", "IPv6"),
            fromPod,
            "forward clusterIP " + two));
    all.add(
        s(
            "1: the port to send to is the slice's",
            "",
            web.replace("port: 80,", "port: 80, targetPort: 9999,") + BOTH,
            fromPod,
            "forward clusterIP " + two));
    all.add(
        s(
            "1: the same address:port in several slices: one endpoint, the non-terminating wins",
            "",
            web
                + slice("{addresses: [10.244.0.5], conditions: {ready: false, terminating: true}}")
                + slice("{addresses: [10.244.0.5]}"),
            fromPod,
            "forward clusterIP 10.244.0.5:8080"));
    all.add(
        s(
            "1: usable: ready, not those that only serve",
            "",
            web
                + slice(
                    HERE
                        + ", {addresses: [10.244.1.6], conditions: {ready: false, serving: true,"
                        + " terminating: true}}"),
            fromPod,
            "forward clusterIP 10.244.0.5:8080"));
    all.add(
        s(
            "1: usable: if there is none, those that are serving and terminating",
            "",
            web
                + slice(
                    "{addresses: [10.244.0.5], conditions: {ready: false, serving: true,"
                        + " terminating: true}}, {addresses: [10.244.0.6], conditions: {ready:"
                        + " false, serving: true}}, {addresses: [10.244.0.7], conditions: {ready:"
                        + " false, serving: false, terminating: true}}"),
            fromPod,
            "forward clusterIP 10.244.0.5:8080"));
    all.add(
        s(
            "1: worked out separately for the Local set",
            "",
            local
                + slice(
                    "{addresses: [10.244.0.5], nodeName: node-1, conditions: {ready: false,"
                        + " terminating: true}}, "
                        + THERE),
            "TCP 203.0.113.9:1 > 192.168.0.2:30080 in eth0",
            "forward nodePort 10.244.0.5:8080"));
    String zoned =
        "{addresses: [10.244.0.5], hints: {forZones: [{name: z2}]}}, {addresses: [10.244.1.6],"
            + " hints: {forZones: [{name: z1}]}}";
    all.add(
        s(
            "1: zone hints",
            "",
            web + slice(zoned) + NODES,
            fromPod,
            "forward clusterIP 10.244.1.6:8080"));
    all.add(
        s(
            "1: a ready endpoint without a hint: all",
            "",
            web + slice(zoned + ", {addresses: [10.244.1.7]}") + NODES,
            fromPod,
            "forward clusterIP 10.244.0.5:8080 10.244.1.6:8080 10.244.1.7:8080"));
    all.add(
        s(
            "1: an endpoint that is not ready needs no hint",
            "",
            web + slice(zoned + ", {addresses: [10.244.1.7], conditions: {ready: false}}") + NODES,
            fromPod,
            "forward clusterIP 10.244.1.6:8080"));
    all.add(
        s(
            "1: node hints come first",
            "",
            web
                + slice(
                    "{addresses: [10.244.0.5], hints: {forNodes: [{name: node-1}], forZones: [{name:"
                        + " z2}]}}, {addresses: [10.244.1.6], hints: {forNodes: [{name: node-2}],"
                        + " forZones: [{name: z1}]}}")
                + NODES,
            fromPod,
            "forward clusterIP 10.244.0.5:8080"));
    all.add(
        s(
            "1: topology: Cluster set only",
            "",
            local
                + slice(
                    "{addresses: [10.244.0.5], nodeName: node-1, hints: {forZones: [{name: z2}]}},"
                        + " {addresses: [10.244.1.6], hints: {forZones: [{name: z1}]}}")
                + NODES,
            "TCP 203.0.113.9:1 > 192.168.0.2:30080 in eth0",
            "forward nodePort 10.244.0.5:8080"));
    all.add(
        s(
            "1: topology before the fallback: hints of terminating ones do not count",
            "",
            web
                + slice(
                    "{addresses: [10.244.0.5], conditions: {ready: false, terminating: true}, hints:"
                        + " {forZones: [{name: z2}]}}")
                + NODES,
            fromPod,
            "forward clusterIP 10.244.0.5:8080"));
    all.add(
        s(
            "1: IPv4 text with leading zeros is decimal",
            "",
            web.replace("10.96.0.10", "010.096.000.010") + slice("{addresses: [010.244.000.005]}"),
            fromPod,
            "forward clusterIP 10.244.0.5:8080"));
    all.add(
        s(
            "1: a proxy name without a value is not ours either",
            "",
            web.replace(
                    "name: web, ",
                    "name: web, labels: {service.kubernetes.io/service-proxy-name: ''}, ")
                + BOTH,
            fromPod,
            "drop UNASSIGNED_SERVICE_ADDRESS"));
    // 2. Front addresses
    all.add(s("2: ClusterIP, kept", "", web + BOTH, fromPod, "forward clusterIP " + two));
    all.add(
        s(
            "2: internalTrafficPolicy Local",
            "",
            internal + BOTH,
            fromPod,
            "forward clusterIP 10.244.0.5:8080"));
    for (String front :
        List.of(
            "externalIP 198.51.100.9:80",
            "loadBalancerIP 203.0.113.80:80",
            "nodePort 192.168.0.2:30080")) {
      String kind = front.substring(0, front.indexOf(' '));
      String to = front.substring(front.indexOf(' ') + 1);
      all.add(
          s(
              "2: " + kind + ", Cluster: always masquerade",
              "",
              web + BOTH,
              "TCP 203.0.113.9:1 > " + to + " in eth0",
              "forward " + kind + " " + two + " masquerade"));
      all.add(
          s(
              "2: " + kind + ", Cluster: also from a pod",
              "",
              web + BOTH,
              "TCP 10.244.0.77:1 > " + to + " in cali1",
              "forward " + kind + " " + two + " masquerade"));
      all.add(
          s(
              "2: " + kind + ", Local: this node's, client kept",
              "",
              local + BOTH,
              "TCP 203.0.113.9:1 > " + to + " in eth0",
              "forward " + kind + " 10.244.0.5:8080"));
      all.add(
          s(
              "2: " + kind + ", Local: short circuit for a pod",
              "",
              local + BOTH,
              "TCP 10.244.0.77:1 > " + to + " in cali1",
              "forward " + kind + " " + two));
      all.add(
          s(
              "2: " + kind + ", Local: short circuit for a pod, told by its address",
              "",
              local + BOTH + NODES,
              "TCP 10.244.0.77:1 > " + to,
              "forward " + kind + " " + two));
      all.add(
          s(
              "2: " + kind + ", Local: another node's pod is none of this node's",
              "proxy: {detectLocalMode: ClusterCIDR, clusterCIDR: 10.244.0.0/16}\n",
              local + BOTH + NODES,
              "TCP 10.244.7.77:1 > " + to + " in eth0",
              "forward " + kind + " 10.244.0.5:8080"));
      all.add(
          s(
              "2: " + kind + ", Local: the node's own traffic short circuits and is masqueraded",
              "",
              local + BOTH,
              "TCP 192.168.0.2:1 > " + to,
              "forward " + kind + " " + two + " masquerade"));
      all.add(
          s(
              "2: short circuit also with no endpoint here",
              "",
              local + slice(THERE),
              "TCP 10.244.0.77:1 > " + to + " in cali1",
              "forward " + kind + " 10.244.1.6:8080"));
    }
    String proxied = web.replace("{ip: 203.0.113.80}", "{ip: 203.0.113.80, ipMode: Proxy}");
    all.add(
        s(
            "2: ipMode Proxy is not programmed",
            "",
            proxied + BOTH,
            "TCP 203.0.113.9:1 > 203.0.113.80:80",
            route));
    all.add(
        s(
            "2: ipMode VIP is",
            "",
            proxied.replace("Proxy", "VIP") + BOTH,
            "TCP 203.0.113.9:1 > 203.0.113.80:80",
            "forward loadBalancerIP " + two + " masquerade"));
    all.add(
        s(
            "2: a switch refuses external IPs",
            "proxy: {featureGates: {AllowServiceExternalIPs: false}}\n",
            web + BOTH,
            "TCP 203.0.113.9:1 > 198.51.100.9:80",
            route));
    all.add(
        s(
            "2: an empty nodePortAddresses means primary",
            "",
            web + BOTH,
            "TCP 203.0.113.9:1 > 192.168.1.2:30080",
            "local"));
    all.add(
        s(
            "2: unless mode says iptables: then all",
            "proxy: {mode: iptables}\n",
            web + BOTH,
            "TCP 203.0.113.9:1 > 192.168.1.2:30080",
            "forward nodePort " + two + " masquerade"));
    all.add(
        s(
            "2: nodePortAddresses by CIDR",
            "proxy: {nodePortAddresses: [192.168.1.0/24]}\n",
            web + BOTH,
            "TCP 203.0.113.9:1 > 192.168.0.2:30080",
            "local"));
    all.add(
        s(
            "2: a family without a CIDR takes all of it",
            "proxy: {nodePortAddresses: ['2001:db8::/32']}\n",
            web + BOTH,
            "TCP 203.0.113.9:1 > 192.168.1.2:30080",
            "forward nodePort " + two + " masquerade"));
    String ranged = service(LB + ", loadBalancerSourceRanges: [' 203.0.113.0/28 ', 'fd00::/8']");
    all.add(
        s(
            "2: source ranges: no match, drop",
            "",
            ranged + BOTH,
            "TCP 203.0.113.99:1 > 203.0.113.80:80",
            "drop SOURCE_RANGE"));
    all.add(
        s(
            "2: source ranges: a match, trimmed",
            "",
            ranged + BOTH,
            "TCP 203.0.113.9:1 > 203.0.113.80:80",
            "forward loadBalancerIP " + two + " masquerade"));
    all.add(
        s(
            "2: source ranges: for load balancer addresses only",
            "",
            ranged + BOTH,
            "TCP 203.0.113.99:1 > 198.51.100.9:80",
            "forward externalIP " + two + " masquerade"));
    all.add(
        s(
            "2: source ranges come before the lack of endpoints",
            "",
            ranged,
            "TCP 203.0.113.99:1 > 203.0.113.80:80",
            "drop SOURCE_RANGE"));
    all.add(
        s(
            "2: a range that covers a node address admits the load balancer address itself",
            "",
            service(LB + ", loadBalancerSourceRanges: [192.168.0.0/24]") + BOTH,
            "TCP 203.0.113.80:1 > 203.0.113.80:80",
            "forward loadBalancerIP " + two + " masquerade"));
    all.add(
        s(
            "2: and one that covers none does not",
            "",
            ranged.replace("203.0.113.0/28", "203.0.113.0/29") + BOTH,
            "TCP 203.0.113.80:1 > 203.0.113.80:80",
            "drop SOURCE_RANGE"));
    all.add(
        s(
            "2: split by family: none of this family means everybody",
            "",
            service(LB + ", loadBalancerSourceRanges: ['fd00::/8']") + BOTH,
            "TCP 203.0.113.99:1 > 203.0.113.80:80",
            "forward loadBalancerIP " + two + " masquerade"));
    all.add(
        s(
            "2: allocateLoadBalancerNodePorts false: no node port is there",
            "",
            web.replace(", nodePort: 30080", "")
                    .replace("spec: {", "spec: {allocateLoadBalancerNodePorts: false, ")
                + BOTH,
            "TCP 203.0.113.9:1 > 192.168.0.2:30080",
            "local"));
    String pod =
        """
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: d},
         spec: {nodeName: node-1, containers: [{name: c, ports: [{containerPort: 8053, hostPort: 53, protocol: UDP}]}]},
         status: {phase: Running, podIP: 10.244.0.8, podIPs: [{ip: 10.244.0.8}, {ip: "fd00:244::8"}]}}
        """;
    all.add(
        s(
            "2: hostPort of this node's pods, client kept",
            "",
            pod,
            "UDP 203.0.113.9:1 > 192.168.1.2:53 in eth0",
            "forward hostPort 10.244.0.8:8053"));
    all.add(
        s(
            "2: hostPort, IPv6",
            "",
            pod,
            "UDP [2001:db8::9]:1 > [2001:db8::2]:53 in eth0",
            "forward hostPort [fd00:244::8]:8053"));
    all.add(
        s(
            "2: hostPort with a hostIP answers there alone",
            "",
            pod.replace("hostPort: 53", "hostPort: 53, hostIP: 192.168.0.2"),
            "UDP 203.0.113.9:1 > 192.168.1.2:53",
            "local"));
    for (String unspecified : List.of("0.0.0.0", "'::'")) {
      String bound = pod.replace("hostPort: 53", "hostPort: 53, hostIP: " + unspecified);
      boolean four = unspecified.equals("0.0.0.0");
      all.add(
          s(
              "2: hostPort with hostIP " + unspecified,
              "",
              bound,
              "UDP 203.0.113.9:1 > 192.168.1.2:53",
              four ? "forward hostPort 10.244.0.8:8053" : "local"));
      all.add(
          s(
              "2: hostPort with hostIP " + unspecified,
              "",
              bound,
              "UDP [2001:db8::9]:1 > [2001:db8::2]:53",
              four ? "local" : "forward hostPort [fd00:244::8]:8053"));
    }
    all.add(
        s(
            "2: hostPort of another node's pod",
            "",
            pod.replace("node-1", "node-2"),
            "UDP 203.0.113.9:1 > 192.168.0.2:53",
            "local"));
    all.add(
        s(
            "2: hostPort of a hostNetwork pod is the host's",
            "",
            pod.replace("spec: {", "spec: {hostNetwork: true, "),
            "UDP 203.0.113.9:1 > 192.168.0.2:53",
            "local"));
    all.add(
        s(
            "2: hostPort of a pod that ended",
            "",
            pod.replace("Running", "Succeeded"),
            "UDP 203.0.113.9:1 > 192.168.0.2:53",
            "local"));
    all.add(
        s(
            "2: hostPort, the pod itself (hairpin)",
            "",
            pod,
            "UDP 10.244.0.8:1 > 192.168.0.2:53 in cali1",
            "forward hostPort 10.244.0.8:8053 masquerade"));
    all.add(
        s(
            "2: endpoints on the node itself are reached like any other",
            "",
            web + slice("{addresses: [192.168.0.2], nodeName: node-1}"),
            fromPod,
            "forward clusterIP 192.168.0.2:8080"));
    all.add(
        s(
            "2: a Service address that is bound locally belongs to the host",
            "",
            service("clusterIP: 192.168.1.2") + BOTH,
            "TCP 10.244.0.77:1 > 192.168.1.2:80",
            "local"));
    all.add(
        s(
            "2: an external IP that is the node's address is a front",
            "",
            service("type: ClusterIP, clusterIP: 10.96.0.10, externalIPs: [192.168.0.2]") + BOTH,
            "TCP 203.0.113.9:1 > 192.168.0.2:80",
            "forward externalIP " + two + " masquerade"));
    all.add(
        s(
            "2: the node's own traffic leaves with the primary address",
            "",
            web + BOTH,
            "TCP 192.168.1.2:1 > 10.96.0.10:80",
            "forward clusterIP " + two + " masquerade"));
    all.add(
        s(
            "2: short circuit for a pod of this node, though the default route leads elsewhere",
            "routes: [{to: 0.0.0.0/0, via: 192.168.0.1, dev: eth0}, {to: 192.168.0.0/24, dev: eth0}]\n",
            local + BOTH + NODES,
            "TCP 10.244.0.77:1 > 203.0.113.80:80",
            "forward loadBalancerIP " + two));
    all.add(
        s(
            "2: source ranges hold where the address is an external IP as well",
            "",
            ranged.replace("198.51.100.9", "203.0.113.80") + BOTH,
            "TCP 203.0.113.99:1 > 203.0.113.80:80",
            "drop SOURCE_RANGE"));
    for (String rules : List.of("primary, 192.168.1.0/24", "localhost, all")) {
      all.add(
          s(
              "2: nodePortAddresses by words and CIDRs",
              "proxy: {nodePortAddresses: [" + rules + "]}\n",
              web + BOTH,
              "TCP 203.0.113.9:1 > 192.168.1.2:30080",
              "forward nodePort " + two + " masquerade"));
    }
    // 3. Verdicts without an endpoint
    for (String to :
        List.of("10.96.0.10:80", "198.51.100.9:80", "203.0.113.80:80", "192.168.0.2:30080")) {
      all.add(
          s(
              "3: no endpoints at all: reject",
              "",
              web,
              "TCP 203.0.113.9:1 > " + to,
              "reject NO_ENDPOINTS"));
      all.add(
          s(
              "3: no endpoints at all, policy Local: reject",
              "",
              local.replace("spec: {", "spec: {internalTrafficPolicy: Local, "),
              "TCP 203.0.113.9:1 > " + to,
              "reject NO_ENDPOINTS"));
      all.add(
          s(
              "3: policy Local, endpoints elsewhere: drop",
              "",
              local.replace("spec: {", "spec: {internalTrafficPolicy: Local, ") + slice(THERE),
              "TCP 203.0.113.9:1 > " + to + " in eth0",
              "drop NO_LOCAL_ENDPOINTS"));
    }
    all.add(
        s(
            "3: internal policy Local has no short circuit",
            "",
            internal + slice(THERE),
            "TCP 192.168.0.2:1 > 10.96.0.10:80",
            "drop NO_LOCAL_ENDPOINTS"));
    for (String flow :
        List.of(
            "TCP 10.244.0.77:1 > 10.96.0.10:81",
            "UDP 10.244.0.77:1 > 10.96.0.10:80",
            "SCTP 10.244.0.77:1 > 10.96.0.10:80")) {
      all.add(
          s(
              "3: a port that an active ClusterIP does not define",
              "",
              web + BOTH,
              flow,
              "reject NO_SUCH_PORT"));
    }
    all.add(
        s(
            "3: another port of a load balancer address is not ours",
            "",
            web + BOTH,
            "TCP 203.0.113.9:1 > 203.0.113.80:81",
            route));
    for (String flow :
        List.of(
            "TCP 10.244.0.77:1 > 10.96.7.7:80",
            "ICMP 10.244.0.77 > 10.96.7.7",
            "UDP [fd00:244::5]:1 > [fd00:96::7]:53")) {
      all.add(
          s(
              "3: an unassigned address inside a Service CIDR",
              "",
              web + BOTH,
              flow,
              "drop UNASSIGNED_SERVICE_ADDRESS"));
    }
    all.add(
        s(
            "3: Service CIDRs from ServiceCIDR objects",
            "serviceCIDRs: []\n",
            web
                + "---\n{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: a},"
                + " spec: {cidrs: [10.97.0.0/16]}}\n",
            "TCP 10.244.0.77:1 > 10.97.0.1:80",
            "drop UNASSIGNED_SERVICE_ADDRESS"));
    for (String to : List.of("10.96.0.10", "203.0.113.80", "198.51.100.9")) {
      all.add(s("3: ICMP echo is answered", "", web, "ICMP 10.244.0.77 > " + to, "local"));
    }
    // 4. Translation, the decisions
    all.add(
        s(
            "4: masqueradeAll on ClusterIP traffic",
            "proxy: {iptables: {masqueradeAll: true}}\n",
            web + BOTH,
            fromPod,
            "forward clusterIP " + two + " masquerade"));
    String byCidr = "proxy: {detectLocalMode: ClusterCIDR, clusterCIDR: 10.244.0.0/16}\n";
    all.add(s("4: ClusterCIDR, local", byCidr, web + BOTH, fromPod, "forward clusterIP " + two));
    all.add(
        s(
            "4: ClusterCIDR, a stranger",
            byCidr,
            web + BOTH,
            "TCP 203.0.113.9:1 > 10.96.0.10:80 in eth0",
            "forward clusterIP " + two + " masquerade"));
    all.add(
        s(
            "4: ClusterCIDR is the default where there is one",
            "proxy: {clusterCIDR: 10.244.0.0/16}\n",
            web + BOTH,
            "TCP 203.0.113.9:1 > 10.96.0.10:80",
            "forward clusterIP " + two + " masquerade"));
    all.add(
        s(
            "4: ClusterCIDR of the other family says nothing",
            "proxy: {clusterCIDR: 'fd00:244::/56'}\n",
            web + BOTH,
            "TCP 203.0.113.9:1 > 10.96.0.10:80",
            "forward clusterIP " + two));
    String byNode = "proxy: {detectLocalMode: NodeCIDR}\n";
    all.add(
        s("4: NodeCIDR, local", byNode, web + BOTH + NODES, fromPod, "forward clusterIP " + two));
    all.add(
        s(
            "4: NodeCIDR, another node's pod",
            byNode,
            web + BOTH + NODES,
            "TCP 10.244.1.77:1 > 10.96.0.10:80",
            "forward clusterIP " + two + " masquerade"));
    String byBridge =
        "proxy: {detectLocalMode: BridgeInterface, detectLocal: {bridgeInterface: cni0}}\n";
    all.add(
        s(
            "4: BridgeInterface, local",
            byBridge,
            web + BOTH,
            "TCP 1.2.3.4:1 > 10.96.0.10:80 in cni0",
            "forward clusterIP " + two));
    all.add(
        s(
            "4: BridgeInterface, a pod, and nobody says by which interface",
            byBridge,
            web + BOTH + NODES,
            fromPod,
            "forward clusterIP " + two));
    all.add(
        s(
            "4: BridgeInterface, a port of the bridge",
            byBridge,
            web + BOTH,
            fromPod + " in cali1",
            "forward clusterIP " + two));
    all.add(
        s(
            "4: BridgeInterface, the node itself",
            byBridge,
            web + BOTH + NODES,
            "TCP 192.168.0.2:1 > 10.96.0.10:80",
            "forward clusterIP " + two + " masquerade"));
    all.add(
        s(
            "4: BridgeInterface, a stranger",
            byBridge,
            web + BOTH,
            "TCP 10.244.0.77:1 > 10.96.0.10:80 in eth0",
            "forward clusterIP " + two + " masquerade"));
    String byPrefix =
        "proxy: {detectLocalMode: InterfaceNamePrefix, detectLocal: {interfaceNamePrefix: cali}}\n";
    all.add(
        s(
            "4: InterfaceNamePrefix, local",
            byPrefix,
            web + BOTH,
            "TCP 1.2.3.4:1 > 10.96.0.10:80 in cali12",
            "forward clusterIP " + two));
    all.add(
        s(
            "4: InterfaceNamePrefix, a stranger",
            byPrefix,
            web + BOTH,
            "TCP 10.244.0.77:1 > 10.96.0.10:80 in eth0",
            "forward clusterIP " + two + " masquerade"));
    all.add(
        s(
            "4: hairpin",
            "",
            web + slice(HERE),
            "TCP 10.244.0.5:1 > 10.96.0.10:80",
            "forward clusterIP 10.244.0.5:8080 masquerade"));
    all.add(
        s(
            "4: never between pods without a Service",
            "",
            web,
            "TCP 10.244.0.7:1 > 10.244.1.6:80",
            route));
    all.add(
        s(
            "4: never between node and pod without a Service",
            "egress: {masquerade: true}\n",
            web,
            "TCP 192.168.0.2:1 > 10.244.1.6:80",
            route));
    String egress = "egress: {masquerade: true}\n";
    for (String flow :
        List.of(
            "TCP 10.244.0.7:1 > 8.8.8.8:443",
            "UDP 10.244.0.7:1 > 192.168.0.3:53",
            "SCTP 10.244.0.7:1 > 8.8.8.8:9",
            "ICMP 10.244.0.7 > 8.8.8.8",
            "TCP [fd00:244::7]:1 > [2001:db8:9::1]:443")) {
      all.add(s("4: pod egress", egress, web, flow, "route masquerade"));
      all.add(s("4: pod egress, off", "egress: {masquerade: false}\n", web, flow, "route"));
    }
    for (String flow :
        List.of(
            "TCP 10.244.0.7:1 > 10.244.9.9:443",
            "TCP 203.0.113.9:1 > 8.8.8.8:1",
            "UDP 203.0.113.9:1 > 10.244.0.7:1")) {
      all.add(s("4: pod egress, never", egress, web, flow, "route"));
    }
    all.add(
        s("4: pod to the node itself", egress, web, "TCP 10.244.0.7:1 > 192.168.0.2:22", "local"));
    for (String protocol : List.of("TCP", "UDP", "SCTP")) {
      all.add(
          s(
              "4: " + protocol,
              "",
              web.replace("port: 80,", "port: 80, protocol: " + protocol + ",")
                  + BOTH.replace("port: 8080", "port: 8080, protocol: " + protocol),
              protocol + " 10.244.0.77:4000 > 10.96.0.10:80",
              "forward clusterIP " + two));
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("sentences")
  void shouldDecideAsTheSentenceSays(Sentence sentence) {
    String config = NODE;
    for (String key : List.of("serviceCIDRs")) {
      if (sentence.config.startsWith(key)) {
        config = config.replaceAll("(?m)^" + key + ".*\\n", "");
      }
    }
    String flow = sentence.flow;
    int in = flow.indexOf(" in ");
    String[] named = in < 0 ? new String[0] : new String[] {flow.substring(in + 4)};
    try (Case node = new Case(folder, config + sentence.config, sentence.objects, named)) {
      Explanation said = node.explain(flow);
      assertEquals(sentence.expected, summary(said), () -> String.join("\n", said.steps()));
      assertEquals(node.forward(flow), Case.line(said, flow), "the packet, and what explain said");
    }
  }

  private static String summary(Explanation e) {
    StringBuilder text = new StringBuilder(e.verdict());
    if (e.reason() != null) {
      text.append(' ').append(e.reason());
    } else if (e.frontend() != null) {
      text.append(' ').append(e.frontend());
      e.candidates().forEach(candidate -> text.append(' ').append(candidate));
      assertTrue(e.candidates().contains(String.valueOf(e.endpoint())), e.toString());
      assertTrue(e.frontend().equals("hostPort") || "d/web:http".equals(e.service()), e.toString());
    }
    return text + (e.masquerade() ? " masquerade" : "") + (e.affinity() ? " affinity" : "");
  }

  /** The interface leaves them to the kernel before any stage sees them. */
  @Test
  void shouldNotMasqueradeWhatPodsSendToGroups() {
    try (Case node = new Case(folder, NODE + "egress: {masquerade: true}\n", service(LB))) {
      for (String to :
          List.of("10.244.0.7:1 > 224.0.0.251:5353", "[fd00:244::7]:1 > [ff0e::1]:9")) {
        assertEquals("route", summary(node.explain("UDP " + to)));
      }
    }
  }

  @Test
  void shouldSayWhichWayAndWithWhoseAddress() {
    String config =
        NODE
            + """
            routes:
              - {to: 10.244.1.0/24, via: 192.168.0.3, dev: eth0}
              - {to: 192.168.0.0/24, dev: eth0}
            neighbours: [{ip: 192.168.0.3, mac: "02:00:00:00:00:09", dev: eth0}]
            kernel: {mirror: false}
            """;
    try (Case node = new Case(folder, config, service(LB) + slice(THERE), "eth0")) {
      Explanation e = node.explain("TCP 203.0.113.9:1 > 192.168.0.2:30080 in eth0");
      assertEquals("192.168.0.2", e.source());
      assertEquals(new Explanation.Route("10.244.1.0/24", "192.168.0.3", "eth0", 1500), e.route());
      assertEquals("drop", node.explain("TCP 10.244.0.7:1 > 8.8.8.8:1").verdict());
      assertEquals("NO_ROUTE", node.explain("TCP 10.244.0.7:1 > 8.8.8.8:1").reason());
      assertEquals(
          "forward 192.168.0.2 > 10.244.1.6:8080",
          node.forward("TCP 203.0.113.9:1 > 192.168.0.2:30080 in eth0"));
    }
  }
}
