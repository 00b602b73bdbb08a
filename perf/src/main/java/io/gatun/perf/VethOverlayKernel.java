package io.gatun.perf;

import java.io.IOException;

/** The kernel's own VXLAN device on the same way. */
final class VethOverlayKernel extends VethSide {
  VethOverlayKernel(VethPath path, BenchOptions options) {
    super(path, VethOverlay.loads(options));
  }

  @Override
  public void enter() throws IOException {
    path.node().sysctl("net.ipv4.ip_forward", "1");
    // Without GRO and without an XDP program a veth takes no live frames.
    path.node().exec("ethtool", "-K", VethPath.IN, "gro", "on").orThrow();
    send(0.8);
  }

  @Override
  void checkWhoForwarded(long byKernel) {
    KernelForwarding.expectSome(byKernel);
  }

  @Override
  public void leave() throws IOException {
    path.node().exec("ethtool", "-K", VethPath.IN, "gro", "off");
    path.node().sysctl("net.ipv4.ip_forward", "0");
  }
}
