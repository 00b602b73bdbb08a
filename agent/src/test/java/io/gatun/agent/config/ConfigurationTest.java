package io.gatun.agent.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gatun.agent.config.GatunConfiguration.Driver;
import io.gatun.agent.config.GatunConfiguration.Idle;
import io.gatun.agent.config.GatunConfiguration.Interface;
import io.gatun.agent.config.GatunConfiguration.Masquerade;
import io.gatun.agent.config.GatunConfiguration.Mode;
import io.gatun.agent.config.GatunConfiguration.PortRange;
import io.gatun.agent.config.GatunConfiguration.Profile;
import io.gatun.agent.config.GatunConfiguration.ReversePath;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.agent.config.GatunConfiguration.Vxlan;
import io.gatun.agent.config.KubeProxyConfiguration.DetectLocal;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationTest {
  private static final String GATUN = "kind: GatunConfiguration\napiVersion: gatun.io/v1alpha1\n";
  private static final String PROXY =
      "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n";

  @TempDir Path folder;

  private GatunConfiguration read(String text) throws ConfigurationException {
    try {
      return Configuration.read(Files.writeString(folder.resolve("c.yaml"), text));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shouldReadEveryFieldOfTheDocumentedExample() throws ConfigurationException {
    GatunConfiguration c =
        read(
            GATUN
                + """
                node: node-1
                nodeAddresses: [192.168.0.2, "2001:db8::1"]
                serviceCIDRs: [10.96.0.0/12]
                interfaces:
                  - {name: eth1, role: uplink, driver: xdp, mode: auto, queues: auto}
                  - {name: "veth*", role: pod}
                  - {name: port0, role: uplink, driver: dpdk, devargs: "net_null0"}
                  - {name: in0, role: uplink, driver: pcap, read: in.pcap, write: out.pcap}
                  - {name: eth2, role: uplink, mode: zero-copy, queues: 4}
                workers: {count: 1, cpus: [1], idle: busy}
                kernel: {mirror: false, hostInterface: gatun7}
                routes:     [{to: 10.2.0.0/24, via: 10.2.0.2, dev: d1}]
                neighbours: [{ip: 10.2.0.2, mac: "02:00:00:00:00:09", dev: d1}]
                overlay: {vxlan: {vni: 1, port: 8472, local: 192.168.0.2, mac: auto, profile: flannel,
                          peers: [{cidr: 10.244.1.0/24, vtep: 192.168.0.3, mac: "02:00:00:00:00:0a"}]}}
                conntrack: {maxFlows: 2000000, stateDir: /run/x}
                podNetworks: [10.244.0.0/16]
                egress: {masquerade: true}
                snatPorts: 61000-62000
                onFailure: {hold: 0s, handover: 1m30s}
                proxy: {mode: iptables, masqueradeAll: null}
                """
                    .replace(", masqueradeAll: null", ""));
    assertEquals("node-1", c.node());
    assertEquals(2, c.nodeAddresses().size());
    assertEquals("10.96.0.0/12", c.serviceCidrs().getFirst().toString());
    assertEquals(
        new Interface(
            "eth1", Role.UPLINK, Driver.XDP, ReversePath.AUTO, Mode.AUTO, 0, null, null, null),
        c.interfaces().get(0));
    assertTrue(c.interfaces().get(1).matches("veth12ab"));
    assertFalse(c.interfaces().get(1).matches("xveth"));
    assertEquals("net_null0", c.interfaces().get(2).devargs());
    assertEquals(Path.of("out.pcap"), c.interfaces().get(3).write());
    assertEquals(Mode.ZERO_COPY, c.interfaces().get(4).mode());
    assertEquals(4, c.interfaces().get(4).queues());
    assertEquals(List.of(1), c.workers().cpus());
    assertEquals(Idle.BUSY, c.workers().idle());
    assertFalse(c.kernel().mirror());
    assertEquals("d1", c.routes().getFirst().dev());
    assertEquals("02:00:00:00:00:09", c.neighbours().getFirst().mac().toString());
    Vxlan vxlan = Objects.requireNonNull(c.vxlan());
    assertEquals(Profile.FLANNEL, vxlan.profile());
    assertNull(vxlan.mac());
    assertEquals(1, vxlan.peers().size());
    assertEquals(2_000_000, c.conntrack().maxFlows());
    assertEquals(Masquerade.TRUE, c.egressMasquerade());
    assertEquals(new PortRange(61000, 62000), c.snatPorts());
    assertEquals(Duration.ZERO, c.onFailure().hold());
    assertEquals(Duration.ofSeconds(90), c.onFailure().handover());
    assertEquals(List.of("all"), c.proxy().nodePortAddresses());
  }

  @Test
  void shouldFillInTheDefaults() throws Exception {
    GatunConfiguration c = read(GATUN);
    assertEquals(
        Files.readString(Path.of("/proc/sys/kernel/hostname"))
            .strip()
            .toLowerCase(java.util.Locale.ROOT),
        c.node());
    assertTrue(c.interfaces().isEmpty() && c.nodeAddresses().isEmpty() && c.routes().isEmpty());
    assertEquals(1, c.workers().count());
    assertEquals(Idle.ADAPTIVE, c.workers().idle());
    assertTrue(c.kernel().mirror());
    assertEquals("gatun0", c.kernel().hostInterface());
    assertEquals(1_000_000, c.conntrack().maxFlows());
    assertEquals(new PortRange(61000, 65535), c.snatPorts());
    assertEquals(Duration.ofSeconds(5), c.onFailure().hold());
    assertEquals(Duration.ofSeconds(10), c.onFailure().handover());
    assertEquals(List.of("primary"), c.proxy().nodePortAddresses());
    assertEquals(10249, c.proxy().metricsBindAddress().getPort());
    assertNull(c.vxlan());
  }

  /** What kubeadm puts into the ConfigMap kube-proxy, with a few fields set. */
  @Test
  void shouldReadTheFileAClusterAlreadyHas() throws ConfigurationException {
    GatunConfiguration c =
        read(
            """
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            bindAddress: 0.0.0.0
            bindAddressHardFail: false
            clientConnection:
              acceptContentTypes: ""
              burst: 0
              contentType: ""
              kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
              qps: 0
            clusterCIDR: 10.244.0.0/16,fd00:10::/56
            configSyncPeriod: 0s
            conntrack:
              maxPerCore: null
              min: null
              tcpBeLiberal: false
              tcpCloseWaitTimeout: null
              tcpEstablishedTimeout: 1h
              udpStreamTimeout: 0s
              udpTimeout: 0s
            detectLocal:
              bridgeInterface: ""
              interfaceNamePrefix: ""
            detectLocalMode: ClusterCIDR
            enableProfiling: false
            healthzBindAddress: ""
            hostnameOverride: Node-7
            iptables:
              localhostNodePorts: null
              masqueradeAll: true
              masqueradeBit: null
              minSyncPeriod: 1s
              syncPeriod: 0s
            ipvs:
              excludeCIDRs: null
              minSyncPeriod: 0s
              scheduler: ""
              strictARP: false
              syncPeriod: 0s
              tcpFinTimeout: 0s
              tcpTimeout: 0s
              udpTimeout: 0s
            kind: KubeProxyConfiguration
            logging:
              flushFrequency: 0
              options:
                json:
                  infoBufferSize: "0"
                text:
                  infoBufferSize: "0"
              verbosity: 0
            metricsBindAddress: "127.0.0.1:9999"
            mode: ""
            nftables:
              masqueradeAll: false
              masqueradeBit: null
              minSyncPeriod: 0s
              syncPeriod: 0s
            nodePortAddresses: null
            oomScoreAdj: null
            portRange: ""
            showHiddenMetricsForVersion: ""
            winkernel:
              enableDSR: false
              forwardHealthCheckVip: false
              networkName: ""
              rootHnsEndpointName: ""
              sourceVip: ""
            """);
    assertEquals("node-7", c.node());
    assertEquals(2, c.podNetworks().size());
    assertEquals(DetectLocal.CLUSTER_CIDR, c.proxy().detectLocalMode());
    assertEquals(Path.of("/var/lib/kube-proxy/kubeconfig.conf"), c.proxy().kubeconfig());
    assertTrue(c.proxy().masqueradeAll());
    assertEquals("/127.0.0.1:9999", c.proxy().metricsBindAddress().toString());
    assertEquals(Duration.ofHours(1), c.proxy().conntrack().tcpEstablished());
    assertEquals(Duration.ofSeconds(30), c.proxy().conntrack().udp());
    assertEquals(32768, c.proxy().conntrack().maxPerCore());
    assertEquals(List.of("iptables.minSyncPeriod"), c.proxy().meaningless());
  }

  @Test
  void shouldTakeTheBindAddressForTheNodesPrimaryOne() throws ConfigurationException {
    assertEquals(
        List.of(InetAddress.ofLiteral("10.0.0.7")),
        read(PROXY + "bindAddress: 10.0.0.7\n").nodeAddresses());
    assertEquals(List.of(), read(PROXY + "bindAddress: '::'\n").nodeAddresses());
    assertEquals(
        List.of(InetAddress.ofLiteral("10.0.0.8")),
        read(GATUN + "nodeAddresses: [10.0.0.8]\nproxy: {bindAddress: 10.0.0.7}\n")
            .nodeAddresses());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "worker: {} | worker: unknown field, the nearest known one is workers",
        "workers: {cpu: [1]} | workers.cpu: unknown field, the nearest known one is workers.cpus",
        "interfaces: [{name: a, role: pod, drivr: xdp}] | interfaces[0].drivr: unknown field, the nearest known one is interfaces[0].driver",
        "interfaces: [{name: a, rolle: pod}] | interfaces[0].rolle: unknown field, the nearest known one is interfaces[0].role",
        "routes: [{too: 10.0.0.0/8, dev: a}] | routes[0].too: unknown field, the nearest known one is routes[0].to",
        "neighbours: [{ipp: 10.0.0.1, mac: '02:00:00:00:00:09', dev: a}] | neighbours[0].ipp: unknown field, the nearest known one is neighbours[0].ip",
        "overlay: {vxlan: {peers: [{cidr: 10.0.0.0/8, vtap: 10.0.0.1}]}} | overlay.vxlan.peers[0].vtap: unknown field, the nearest known one is overlay.vxlan.peers[0].vtep",
        "overlay: {vxlan: {vnii: 1}} | overlay.vxlan.vnii: unknown field, the nearest known one is overlay.vxlan.vni",
        "onFailure: {held: 5s} | onFailure.held: unknown field, the nearest known one is onFailure.hold",
        "conntrack: {maxflow: 5000} | conntrack.maxflow: unknown field, the nearest known one is conntrack.maxFlows",
        "proxy: {nodePortAdresses: []} | proxy.nodePortAdresses: unknown field, the nearest known one is proxy.nodePortAddresses",
        "proxy: {kind: KubeProxyConfiguration} | proxy.kind: unknown field, the nearest known one is proxy.mode",
        "node: 7 | node: got 7, expected a string (put it in quotes)",
        "node: '' | node: got \"\", expected a name",
        "nodeAddresses: 10.0.0.1 | nodeAddresses: got \"10.0.0.1\", expected a list",
        "nodeAddresses: [example.org] | nodeAddresses[0]: got \"example.org\", expected an IP address",
        "serviceCIDRs: [10.96.0.0] | serviceCIDRs[0]: got \"10.96.0.0\", expected a CIDR like 10.96.0.0/12",
        "interfaces: [{role: pod}] | interfaces[0].name: got nothing, expected an interface's name, at most 15 characters without / and blanks",
        "interfaces: [{name: eth0}] | interfaces[0].role: got nothing, expected one of uplink, pod",
        "interfaces: [{name: a, role: pod}, {name: a, role: pod}] | interfaces[1].name: got \"a\", expected a name that no other entry has",
        "interfaces: [{name: a, role: pod, driver: ebpf}] | interfaces[0].driver: got \"ebpf\", expected one of auto, xdp, packet, dpdk, pcap, memory",
        "interfaces: [{name: a, role: pod, driver: packet, mode: skb}] | interfaces[0].mode: got \"skb\", expected nothing, because the driver is packet",
        "interfaces: [{name: a, role: pod, driver: dpdk}] | interfaces[0].devargs: got nothing, expected DPDK's device arguments, because the driver is dpdk",
        "interfaces: [{name: a, role: pod, driver: pcap}] | interfaces[0].read: got nothing, expected a file (or write), because the driver is pcap",
        "interfaces: [{name: a, role: pod, queues: all}] | interfaces[0].queues: got \"all\", expected auto or an integer from 1 to 1024",
        "workers: {count: 0} | workers.count: got 0, expected an integer from 1 to 256",
        "workers: {count: 2, cpus: [1]} | workers.cpus: got 1 CPUs, expected one for each of 2 workers",
        "workers: {count: 2, cpus: [1, 1]} | workers.cpus: got [1, 1], expected each CPU once",
        "workers: {idle: sometimes} | workers.idle: got \"sometimes\", expected one of busy, adaptive",
        "kernel: {mirror: maybe} | kernel.mirror: got \"maybe\", expected true or false",
        "routes: [{to: 10.0.0.0/8}] | routes[0].via: got nothing, expected an IP address (or dev: an interface)",
        "routes: [{to: 10.0.0.0/8, via: 'fd00::1'}] | routes[0].via: got \"fd00::1\", expected an address of the same family as 10.0.0.0/8",
        "neighbours: [{ip: 10.0.0.1, mac: 020000000009, dev: a}] | neighbours[0].mac: got 020000000009, expected a MAC address like \"02:00:00:00:00:09\" (in quotes)",
        "overlay: {vxlan: {vni: 16777216}} | overlay.vxlan.vni: got 16777216, expected an integer from 0 to 16777215",
        "conntrack: {maxFlows: 1e6} | conntrack.maxFlows: got 1e6, expected an integer from 1024 to 1073741824",
        "egress: {masquerade: yes} | egress.masquerade: got \"yes\", expected one of true, false, auto",
        "snatPorts: 0-10 | snatPorts: got \"0-10\", expected a range of ports like 61000-65535",
        "snatPorts: 61000 | snatPorts: got 61000, expected a range of ports like 61000-65535",
        "interfaces: [{name: way-too-long-name, role: pod}] | interfaces[0].name: got \"way-too-long-name\", expected an interface's name, at most 15 characters without / and blanks",
        "interfaces: eth0 | interfaces: got \"eth0\", expected a list",
        "interfaces: [eth0] | interfaces[0]: got \"eth0\", expected a mapping",
        "neighbours: [{ip: 10.0.0.1, dev: a}] | neighbours[0].mac: got nothing, expected a MAC address like \"02:00:00:00:00:09\" (in quotes)",
        "podNetworks: [10.244.0.0/33] | podNetworks[0]: got \"10.244.0.0/33\", expected a CIDR like 10.96.0.0/12",
        "serviceCIDRs: ['10.96.0.0/-1'] | serviceCIDRs[0]: got \"10.96.0.0/-1\", expected a CIDR like 10.96.0.0/12",
        "nodeAddresses: [10.0.0.1/24] | nodeAddresses[0]: got \"10.0.0.1/24\", expected an IP address",
        "workers: {cpus: [-1]} | workers.cpus[0]: got -1, expected an integer from 0 to 4095",
        "workers: {count: 1.5} | workers.count: got 1.5, expected an integer from 1 to 256",
        "onFailure: {hold: -5s} | onFailure.hold: got \"-5s\", expected a duration like 5s or 1h30m",
        "conntrack: {maxFlows: 10} | conntrack.maxFlows: got 10, expected an integer from 1024 to 1073741824",
        "overlay: {vxlan: {port: 70000}} | overlay.vxlan.port: got 70000, expected an integer from 1 to 65535",
        "overlay: {vxlan: {profile: weave}} | overlay.vxlan.profile: got \"weave\", expected one of flannel, calico, plain",
        "snatPorts: 65535-61000 | snatPorts: got \"65535-61000\", expected a range of ports like 61000-65535",
        "onFailure: {hold: 5} | onFailure.hold: got 5, expected a duration like 5s or 1h30m",
        "onFailure: 5s | onFailure: got \"5s\", expected a mapping",
        "proxy: {mode: ebpf} | proxy.mode: got \"ebpf\", expected one of iptables, ipvs, nftables, kernelspace",
        "proxy: {nodePortAddresses: [eth0]} | proxy.nodePortAddresses[0]: got \"eth0\", expected a CIDR, primary or all",
        "proxy: {clusterCIDR: 10.0.0.0} | proxy.clusterCIDR: got \"10.0.0.0\", expected CIDRs with commas between them",
        "proxy: {healthzBindAddress: 'localhost:1'} | proxy.healthzBindAddress: got \"localhost:1\", expected an address and a port like 0.0.0.0:10256",
        "proxy: {detectLocalMode: BridgeInterface} | proxy.detectLocal.bridgeInterface: got nothing, expected an interface, because detectLocalMode is BridgeInterface",
      })
  void shouldNameTheMistake(String line, String expected) {
    assertMistake(GATUN + line.replace("''", "\"\"") + "\n", expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        " | got 0 documents, expected one",
        "kind: Pod | kind: got \"Pod\", expected one of GatunConfiguration, KubeProxyConfiguration",
        "a: b | kind: got nothing, expected one of GatunConfiguration, KubeProxyConfiguration",
        "{kind: GatunConfiguration, apiVersion: v1} | apiVersion: got \"v1\", expected \"gatun.io/v1alpha1\"",
        "{kind: GatunConfiguration} | apiVersion: got nothing, expected \"gatun.io/v1alpha1\"",
        "[1] | got a list, expected a mapping",
        "{a: 1, a: 2} | line 1: a is there twice",
      })
  void shouldNameTheMistakeInTheWholeFile(String text, String expected) {
    assertMistake(text == null ? "" : text, expected);
  }

  @Test
  void shouldTakeOneDocumentOnly() {
    assertMistake(GATUN + "---\n" + PROXY, "got 2 documents, expected one");
  }

  @Test
  void shouldSayThatTheFileIsNotThere() {
    Path none = folder.resolve("none.yaml");
    assertEquals(
        none + ": cannot be read: no such file",
        assertThrows(ConfigurationException.class, () -> Configuration.read(none)).getMessage());
  }

  private void assertMistake(String text, String expected) {
    ConfigurationException mistake = assertThrows(ConfigurationException.class, () -> read(text));
    assertEquals(folder.resolve("c.yaml") + ": " + expected, mistake.getMessage());
  }
}
