package io.gatun.perf;

import java.io.IOException;

/** The kernel, with what kube-proxy writes for the same Service. */
final class VethKernel extends VethSide {
  static final String COMMAND =
      "sysctl -w net.ipv4.ip_forward=1; ethtool -K %s gro on; nft -f kube-proxy.nft"
          .formatted(VethPath.IN);

  VethKernel(VethPath path, Load load) {
    super(path, load);
  }

  @Override
  public void enter() throws IOException {
    path.node().sysctl("net.ipv4.ip_forward", "1");
    // Without GRO and without an XDP program a veth takes no live frames; they are not merged
    // (UDP).
    path.node().exec("ethtool", "-K", VethPath.IN, "gro", "on").orThrow();
    String rules =
        KubeProxyRules.of(
            "udp",
            VethDaemon.CLUSTER_IP,
            VethDaemon.PORT,
            VethPath.SINK_ADDRESS,
            VethDaemon.POD_NETWORK);
    path.node().command("nft", "-f", "-").reading(rules).run().orThrow();
    send(0.2);
  }

  @Override
  void checkWhoForwarded(long byKernel) {
    KernelForwarding.expectSome(byKernel);
  }

  @Override
  public void leave() throws IOException {
    path.node().exec("nft", "delete", "table", "ip", KubeProxyRules.TABLE);
    path.node().exec("ethtool", "-K", VethPath.IN, "gro", "off");
    path.node().sysctl("net.ipv4.ip_forward", "0");
  }
}
