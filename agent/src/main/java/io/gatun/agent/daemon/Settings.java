package io.gatun.agent.daemon;

import io.gatun.agent.config.GatunConfiguration;
import io.gatun.agent.config.GatunConfiguration.Masquerade;
import io.gatun.agent.config.GatunConfiguration.Role;
import io.gatun.agent.config.KubeProxyConfiguration;
import io.gatun.agent.host.HostPair;
import io.gatun.control.service.ClientSettings;
import io.gatun.control.service.ClientSettings.ClientPort;
import io.gatun.control.service.ClientSettings.Detect;
import io.gatun.control.service.NodeSettings;
import io.gatun.flow.FlowState;
import io.gatun.flow.FlowTimeouts;
import io.gatun.service.ClientRules.Egress;
import io.gatun.service.ClientRules.Leads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The configuration in the words of the control plane; the daemon and {@code explain} share it. */
public final class Settings {
  /** A year: more than any flow lives, less than the coarse clock's wrap. */
  private static final int LONGEST_SECONDS = 365 * 24 * 3600;

  private Settings() {}

  public static NodeSettings node(GatunConfiguration configuration) {
    KubeProxyConfiguration proxy = configuration.proxy();
    return new NodeSettings(
        configuration.node(),
        configuration.nodeAddresses(),
        proxy.nodePortAddresses(),
        configuration.serviceProxyName(),
        proxy.masqueradeAll(),
        proxy.externalIPs());
  }

  public static ClientSettings clients(GatunConfiguration configuration) {
    KubeProxyConfiguration proxy = configuration.proxy();
    Detect detect =
        switch (proxy.detectLocalMode()) {
          case NONE -> Detect.NOT;
          case CLUSTER_CIDR -> Detect.CLUSTER_CIDR;
          case NODE_CIDR -> Detect.NODE_CIDR;
          case BRIDGE_INTERFACE, INTERFACE_NAME_PREFIX -> Detect.INTERFACE;
        };
    boolean prefix =
        proxy.detectLocalMode() == KubeProxyConfiguration.DetectLocal.INTERFACE_NAME_PREFIX;
    return new ClientSettings(
        detect,
        prefix ? proxy.interfaceNamePrefix() : proxy.bridgeInterface(),
        prefix,
        proxy.clusterCidrs(),
        configuration.podNetworks(),
        configuration.egressMasquerade() == Masquerade.TRUE ? Egress.BOTH : Egress.NONE);
  }

  /** How long flows live, by the names of KubeProxyConfiguration. */
  static FlowTimeouts timeouts(GatunConfiguration configuration) {
    KubeProxyConfiguration.Timeouts timeouts = configuration.proxy().conntrack();
    return FlowTimeouts.of(
        Map.of(
            FlowState.ESTABLISHED, seconds(timeouts.tcpEstablished()),
            FlowState.CLOSE_WAIT, seconds(timeouts.tcpCloseWait()),
            FlowState.UDP_NEW, seconds(timeouts.udp()),
            FlowState.UDP_REPLIED, seconds(timeouts.udp()),
            FlowState.UDP_STREAM, seconds(timeouts.udpStream())));
  }

  /** Two ports, both included. */
  record Range(int first, int last) {}

  /** What the kernel gives to sockets of this network namespace that ask for any port. */
  static Optional<Range> ephemeralPorts() {
    Path path = Path.of("/proc/sys/net/ipv4/ip_local_port_range");
    try {
      String[] words = Files.readString(path).strip().split("\\s+", -1);
      return Optional.of(new Range(Integer.parseInt(words[0]), Integer.parseInt(words[1])));
    } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }

  private static int seconds(Duration duration) {
    return Math.clamp(duration.toSeconds(), 1, LONGEST_SECONDS);
  }

  static List<ClientPort> clientPorts(List<Interfaces.Taken> interfaces, @Nullable HostPair pair) {
    List<ClientPort> ports = new ArrayList<>();
    for (Interfaces.Taken taken : interfaces) {
      ports.add(new ClientPort(taken.port().number(), taken.port().name(), leads(taken.role())));
    }
    if (pair != null) {
      ports.add(new ClientPort(Dataplane.HOST_PORT, pair.far(), Leads.TO_THE_HOST));
    }
    return List.copyOf(ports);
  }

  public static Leads leads(Role role) {
    return role == Role.UPLINK ? Leads.TO_THE_NETWORK : Leads.TO_PODS;
  }
}
