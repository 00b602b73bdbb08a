package io.gatun.perf;

import io.gatun.lab.demo.NodeDataplane;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The whole daemon, whose cluster is an API server on the node's loopback. */
final class ChurnDaemon extends ChurnPath {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String METRICS = "http://127.0.0.1:10249/metrics";
  private static final String FRONTS = "gatun_fronts";
  private static final String CHANGES = "kubeproxy_sync_proxy_rules_endpoint_changes_total";
  private static final String PENDING = "kubeproxy_sync_proxy_rules_endpoint_changes_pending";

  /** How often is asked whether everything is there: answering takes a core some milliseconds. */
  private static final double LOOK_SECONDS = 0.1;

  private final NodeDataplane dataplane;
  private final LargeCluster cluster;
  private final double warmUp;
  private final int services;
  private final List<byte[]> all;
  private final List<byte[]> one;
  private final Path config;
  private final Path kubeconfig;
  private NodeDataplane.@Nullable Running running;
  private @Nullable ClusterServer server;
  private @Nullable NamespaceThread node;
  private int round = 1;

  /** Changes since everything was in force, and how many the daemon had counted then. */
  private long told;

  private long before;

  ChurnDaemon(
      VethPath path,
      FrameSource.Frames frames,
      Times times,
      NodeDataplane dataplane,
      String driver,
      LargeCluster cluster,
      int services)
      throws IOException {
    super(path, frames, times);
    this.dataplane = dataplane;
    this.cluster = cluster;
    this.services = services;
    warmUp = times.warmUp();
    all = cluster.lists(ChurnBenchmark.ASKED);
    one = LargeCluster.only(ChurnBenchmark.ASKED);
    Path directory = Files.createDirectories(path.node().runDirectory());
    config = directory.resolve("gatun.yaml");
    Files.writeString(config, VethDaemon.configuration(driver));
    kubeconfig =
        Files.writeString(directory.resolve("node.kubeconfig"), ClusterServer.kubeconfig());
  }

  @Override
  public void enter() throws IOException {
    node = new NamespaceThread(path.node());
    server = node.call(() -> new ClusterServer(one));
    running = dataplane.start(path.node(), config, kubeconfig);
    running.awaitReady(PATIENCE);
    await(FRONTS, fronts -> fronts > 0);
    path.run(frames, warmUp, 0);
    loadEverything(); // compiled, and the heap as large as it gets
    unload();
  }

  private ClusterServer server() {
    if (server == null) {
      throw new IllegalStateException("not entered");
    }
    return server;
  }

  @Override
  void changeOne() throws IOException {
    if (told++ == 0) {
      before = metric(CHANGES);
    }
    server().changed(cluster.change(random, round++));
  }

  @Override
  void awaitChanges() throws IOException {
    // Of two changes of one slice the first may be overtaken.
    await(CHANGES, count -> count >= before + told * 4 / 5);
    await(PENDING, count -> count == 0);
    told = 0;
  }

  @Override
  void loadEverything() throws IOException {
    server().replace(all);
    await(FRONTS, fronts -> fronts > services);
  }

  @Override
  void unload() throws IOException {
    server().replace(one);
    await(FRONTS, fronts -> fronts == 1);
  }

  private void await(String metric, LongPredicate holds) throws IOException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    for (long now = metric(metric); !holds.test(now); now = metric(metric)) {
      if (System.nanoTime() - end > 0) {
        throw new IllegalStateException(metric + " stays at " + now);
      }
      VethPath.sleep(LOOK_SECONDS);
    }
  }

  /** What the daemon says of itself; −1 for nothing yet. */
  private long metric(String name) throws IOException {
    if (node == null) {
      throw new IllegalStateException("not entered");
    }
    String text =
        node.call(() -> {
          try (InputStream body = URI.create(METRICS).toURL().openStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
          }
        });
    Matcher line = Pattern.compile("(?m)^" + name + " ([0-9.eE+]+)$").matcher(text);
    return line.find() ? (long) Double.parseDouble(line.group(1)) : -1;
  }

  @Override
  boolean changesFast() {
    return true;
  }

  @Override
  void checkWhoForwarded(long byKernel) {
    KernelForwarding.expectNone(byKernel);
  }

  @Override
  public void leave() throws IOException {
    if (running != null) {
      running.stop();
      running = null;
    }
    if (server != null) {
      server.close();
      server = null;
    }
    if (node != null) {
      node.close();
      node = null;
    }
  }
}
