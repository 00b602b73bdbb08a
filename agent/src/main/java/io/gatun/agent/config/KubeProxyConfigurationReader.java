package io.gatun.agent.config;

import io.gatun.agent.config.KubeProxyConfiguration.DetectLocal;
import io.gatun.agent.config.KubeProxyConfiguration.Timeouts;
import io.gatun.control.document.Addresses;
import io.gatun.control.document.Field;
import io.gatun.control.document.Prefix;
import io.gatun.control.document.StrictMapping;
import io.gatun.control.service.NodePortAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads a KubeProxyConfiguration, or the same fields under {@code proxy}; used once. */
final class KubeProxyConfigurationReader {
  /** Fields of old releases that files in the field still carry, and those of other systems. */
  private static final List<String> MEANINGLESS =
      List.of(
          "logging",
          "bindAddressHardFail",
          "enableProfiling",
          "showHiddenMetricsForVersion",
          "winkernel",
          "windowsRunAsService",
          "oomScoreAdj",
          "configSyncPeriod",
          "portRange",
          "udpIdleTimeout",
          "resourceContainer");

  private final List<String> meaningless = new ArrayList<>();

  private KubeProxyConfigurationReader() {}

  /**
   * Reads {@code field}.
   *
   * @param document it is a document of its own, with kind and apiVersion
   */
  static KubeProxyConfiguration read(Field field, boolean document) {
    return new KubeProxyConfigurationReader().all(field, document);
  }

  private KubeProxyConfiguration all(Field field, boolean document) {
    StrictMapping root = new StrictMapping(field);
    if (document) {
      root.at("apiVersion");
      root.at("kind");
    }
    String hostname = root.at("hostnameOverride").text("").strip().toLowerCase(Locale.ROOT);
    InetAddress bindAddress = bindAddress(root.at("bindAddress"));
    Path kubeconfig = clientConnection(root.at("clientConnection"));
    InetSocketAddress healthz = bind(root.at("healthzBindAddress"), 10256);
    InetSocketAddress metrics = bind(root.at("metricsBindAddress"), 10249);
    String mode = word(root.at("mode"), "iptables", "ipvs", "nftables", "kernelspace");
    boolean masqueradeAll = backends(root, mode);
    DetectLocal detectLocal = detectLocal(root.at("detectLocalMode"));
    StrictMapping local = new StrictMapping(root.at("detectLocal"));
    Field bridge = local.at("bridgeInterface");
    Field prefix = local.at("interfaceNamePrefix");
    local.end();
    if (detectLocal == DetectLocal.BRIDGE_INTERFACE && bridge.text("").isEmpty()) {
      throw bridge.expected("an interface, because detectLocalMode is BridgeInterface");
    }
    if (detectLocal == DetectLocal.INTERFACE_NAME_PREFIX && prefix.text("").isEmpty()) {
      throw prefix.expected("a prefix, because detectLocalMode is InterfaceNamePrefix");
    }
    List<Prefix> clusterCidrs = clusterCidrs(root.at("clusterCIDR"));
    List<String> nodePorts = root.at("nodePortAddresses").items(this::nodePortAddress);
    if (nodePorts.isEmpty()) {
      nodePorts = List.of(mode.equals("iptables") || mode.equals("ipvs") ? "all" : "primary");
    }
    Timeouts timeouts = conntrack(root.at("conntrack"));
    boolean externalIPs = externalIPs(root.at("featureGates"));
    for (String name : MEANINGLESS) {
      meansNothing(root.at(name));
    }
    root.end();
    return new KubeProxyConfiguration(
        hostname.isEmpty() ? null : hostname,
        bindAddress,
        kubeconfig,
        healthz,
        metrics,
        nodePorts,
        masqueradeAll,
        externalIPs,
        detectLocal == DetectLocal.NONE && !clusterCidrs.isEmpty()
            ? DetectLocal.CLUSTER_CIDR // kube-proxy's default
            : detectLocal,
        bridge.text(""),
        prefix.text(""),
        clusterCidrs,
        timeouts,
        List.copyOf(meaningless));
  }

  /** Of all gates one means something: whether {@code spec.externalIPs} is taken (KEP-5707). */
  private boolean externalIPs(Field gates) {
    boolean taken = true;
    for (Map.Entry<String, Field> gate : gates.entries().entrySet()) {
      if (gate.getKey().equals("AllowServiceExternalIPs")) {
        taken = gate.getValue().flag(true);
      } else {
        gate.getValue().flag(false);
        meaningless.add(gate.getValue().path());
      }
    }
    return taken;
  }

  /** Remembers a field that is set to something; kubeadm writes all of them, mostly empty. */
  private void meansNothing(Field field) {
    if (!field.present() || field.isZero()) {
      return;
    }
    meaningless.add(field.path());
  }

  private @Nullable Path clientConnection(Field field) {
    StrictMapping client = new StrictMapping(field);
    String kubeconfig = client.at("kubeconfig").text("");
    meansNothing(client.at("acceptContentTypes"));
    meansNothing(client.at("contentType"));
    meansNothing(client.at("qps"));
    meansNothing(client.at("burst"));
    client.end();
    return kubeconfig.isEmpty() ? null : Path.of(kubeconfig);
  }

  /** The three back ends' own sections; what counts is masqueradeAll of the one in use. */
  private boolean backends(StrictMapping root, String mode) {
    boolean all = false;
    for (String name : List.of("iptables", "nftables")) {
      StrictMapping backend = new StrictMapping(root.at(name));
      boolean masqueradeAll = backend.at("masqueradeAll").flag(false);
      all |= masqueradeAll && (mode.isEmpty() || mode.equals(name) || shares(mode, name));
      meansNothing(backend.at("masqueradeBit"));
      if (name.equals("iptables")) {
        meansNothing(backend.at("localhostNodePorts"));
        meansNothing(backend.at("snatNodeInternalIP"));
      }
      meansNothing(backend.at("syncPeriod"));
      meansNothing(backend.at("minSyncPeriod"));
      backend.end();
    }
    StrictMapping ipvs = new StrictMapping(root.at("ipvs"));
    for (String name :
        List.of(
            "syncPeriod",
            "minSyncPeriod",
            "scheduler",
            "excludeCIDRs",
            "strictARP",
            "tcpTimeout",
            "tcpFinTimeout",
            "udpTimeout")) {
      meansNothing(ipvs.at(name));
    }
    ipvs.end();
    return all;
  }

  /** The ipvs back end has no switch of its own and obeys that of iptables. */
  private static boolean shares(String mode, String section) {
    return mode.equals("ipvs") && section.equals("iptables");
  }

  private static String word(Field field, String... allowed) {
    return !field.present() || field.text().isEmpty() ? "" : field.oneOf(allowed);
  }

  private static DetectLocal detectLocal(Field field) {
    return switch (word(
        field, "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix")) {
      case "ClusterCIDR" -> DetectLocal.CLUSTER_CIDR;
      case "NodeCIDR" -> DetectLocal.NODE_CIDR;
      case "BridgeInterface" -> DetectLocal.BRIDGE_INTERFACE;
      case "InterfaceNamePrefix" -> DetectLocal.INTERFACE_NAME_PREFIX;
      default -> DetectLocal.NONE;
    };
  }

  /** One CIDR, or one of each family with a comma between them. */
  private static List<Prefix> clusterCidrs(Field field) {
    List<Prefix> cidrs = new ArrayList<>();
    for (String text : field.text("").split(",", -1)) {
      if (!text.isBlank()) {
        Prefix cidr = Prefix.parse(text.strip());
        if (cidr == null) {
          throw field.expected("CIDRs with commas between them");
        }
        cidrs.add(cidr);
      }
    }
    return List.copyOf(cidrs);
  }

  private String nodePortAddress(Field field) {
    String text = field.text();
    if (!NodePortAddresses.KEYWORDS.contains(text) && Prefix.parse(text) == null) {
      throw field.expected("a CIDR, primary or all");
    }
    if (text.equals("localhost")) {
      meaningless.add(field.path()); // never there
    }
    return text;
  }

  /** kube-proxy binds nothing to it: it is the node's primary address, unless unspecified. */
  private static @Nullable InetAddress bindAddress(Field field) {
    if (!field.present() || field.says("")) {
      return null;
    }
    InetAddress address = field.address();
    return address.isAnyLocalAddress() ? null : address;
  }

  /** "address:port", "address" or ":port"; what is missing is the default. */
  private static InetSocketAddress bind(Field field, int port) {
    String text = field.text("");
    InetSocketAddress any = new InetSocketAddress(anyAddress(), port);
    return text.isEmpty()
        ? any
        : field.parsed("an address and a port like 0.0.0.0:" + port, s -> socket(s, any));
  }

  private static @Nullable InetSocketAddress socket(String text, InetSocketAddress fallback) {
    InetAddress whole = Addresses.parse(text);
    if (whole != null) {
      return new InetSocketAddress(whole, fallback.getPort());
    }
    int colon = text.lastIndexOf(':');
    String port = text.substring(colon + 1);
    if (colon < 0 || !port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65535) {
      return null;
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      return null;
    }
    InetAddress address = host.isEmpty() ? fallback.getAddress() : Addresses.parse(host);
    return address == null ? null : new InetSocketAddress(address, Integer.parseInt(port));
  }

  private static InetAddress anyAddress() {
    return Addresses.of(new byte[4]);
  }

  /** Defaults: kube-proxy's, and the kernel's for UDP. */
  private Timeouts conntrack(Field field) {
    StrictMapping conntrack = new StrictMapping(field);
    Timeouts timeouts =
        new Timeouts(
            (int) conntrack.at("maxPerCore").integer(0, Integer.MAX_VALUE, 32_768),
            (int) conntrack.at("min").integer(0, Integer.MAX_VALUE, 131_072),
            positive(
                conntrack.at("tcpEstablishedTimeout").duration(Duration.ZERO),
                Duration.ofHours(24)),
            positive(
                conntrack.at("tcpCloseWaitTimeout").duration(Duration.ZERO), Duration.ofHours(1)),
            positive(conntrack.at("udpTimeout").duration(Duration.ZERO), Duration.ofSeconds(30)),
            positive(
                conntrack.at("udpStreamTimeout").duration(Duration.ZERO), Duration.ofSeconds(120)));
    conntrack.at("tcpBeLiberal").flag(false);
    meansNothing(conntrack.at("tcpBeLiberal"));
    conntrack.end();
    return timeouts;
  }

  /** kube-proxy leaves the kernel's value alone where 0 is configured. */
  private static Duration positive(Duration configured, Duration kernels) {
    return configured.isZero() ? kernels : configured;
  }
}
