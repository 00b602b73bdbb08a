package io.gatun.perf;

import io.gatun.control.document.Prefix;
import io.gatun.control.nftables.KubeProxyRules;
import io.gatun.control.service.FrontChange;
import io.gatun.service.FrontSpec;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * The kernel with kube-proxy's nftables rules, which {@code nft -f} replaces and changes while it
 * forwards.
 */
final class ChurnKernel extends ChurnPath {
  static final String COMMAND =
      "sysctl -w net.ipv4.ip_forward=1; ethtool -K %s gro on; nft -f kube-proxy.nft"
          .formatted(VethPath.IN);

  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final LargeCluster cluster;
  private final BareTables tables;
  private final KubeProxyRules rules =
      new KubeProxyRules(false, "kube-proxy", List.of(Prefix.parse(VethDaemon.POD_NETWORK)));
  private int round = 1;

  /** {@code cluster} is loaded into {@code tables}. */
  ChurnKernel(
      VethPath path,
      FrameSource.Frames frames,
      Times times,
      LargeCluster cluster,
      BareTables tables) {
    super(path, frames, times);
    this.cluster = cluster;
    this.tables = tables;
  }

  @Override
  public void enter() throws IOException {
    path.node().sysctl("net.ipv4.ip_forward", "1");
    unload();
    path.run(frames, 0.2, 0);
  }

  private void nft(String text) throws IOException {
    // This process keeps to one core; nft has both.
    path.node()
        .command("taskset", "-c", "0,1", "nft", "-f", "-")
        .reading(text)
        .within(PATIENCE)
        .run()
        .orThrow();
  }

  @Override
  void changeOne() throws IOException {
    FrontChange change = cluster.apply(cluster.change(random, round++));
    tables.qsbr.reclaim();
    nft(rules.delta(change));
  }

  @Override
  void awaitChanges() {
    // in force when nft returns
  }

  @Override
  void loadEverything() throws IOException {
    nft(rules.all(cluster.fronts().fronts()));
  }

  @Override
  void unload() throws IOException {
    nft(rules.all(asked()));
  }

  private List<FrontSpec> asked() {
    List<FrontSpec> asked =
        cluster.fronts().fronts().stream()
            .filter(front -> front.service().startsWith("bench/"))
            .toList();
    if (asked.isEmpty()) {
      throw new IllegalStateException("the Service that is asked is not there");
    }
    return asked;
  }

  @Override
  boolean changesFast() {
    return false;
  }

  @Override
  void checkWhoForwarded(long byKernel) {
    KernelForwarding.expectSome(byKernel);
  }

  @Override
  public void leave() throws IOException {
    path.node().command("nft", "delete", "table", "ip", "kube-proxy").within(PATIENCE).run();
    path.node().sysctl("net.ipv4.ip_forward", "0");
  }
}
