package io.gatun.perf;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The kernel: its own devices and routes, and where a Service is sent to the rules for that. */
final class VethKernel extends VethSide {
  static final String COMMAND =
      "sysctl -w net.ipv4.ip_forward=1; ethtool -K %s gro on; nft -f kube-proxy.nft"
          .formatted(VethPath.IN);

  private final @Nullable String rules;
  private final double warmUp;

  private VethKernel(VethPath path, List<Load> loads, @Nullable String rules, double warmUp) {
    super(path, loads);
    this.rules = rules;
    this.warmUp = warmUp;
  }

  /** With what kube-proxy writes for {@link VethDaemon}'s Service. */
  static VethKernel serving(VethPath path, Load load) {
    String rules =
        KubeProxyRules.of(
            "udp",
            VethDaemon.CLUSTER_IP,
            VethDaemon.PORT,
            VethPath.SINK_ADDRESS,
            VethDaemon.POD_NETWORK);
    return new VethKernel(path, List.of(load), rules, 0.2);
  }

  /** With nothing but what is there. */
  static VethKernel routing(VethPath path, List<Load> loads) {
    return new VethKernel(path, loads, null, 0.8);
  }

  @Override
  public void enter() throws IOException {
    path.node().sysctl("net.ipv4.ip_forward", "1");
    if (rules != null) {
      path.node().command("nft", "-f", "-").reading(rules).run().orThrow();
    }
    send(warmUp);
  }

  @Override
  void checkWhoForwarded(long byKernel) {
    KernelForwarding.expectSome(byKernel);
  }

  @Override
  public void leave() throws IOException {
    if (rules != null) {
      path.node().exec("nft", "delete", "table", "ip", KubeProxyRules.TABLE);
    }
    path.node().sysctl("net.ipv4.ip_forward", "0");
  }
}
