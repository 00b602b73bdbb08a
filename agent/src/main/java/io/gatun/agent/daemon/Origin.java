package io.gatun.agent.daemon;

import io.gatun.agent.UsageException;
import io.gatun.agent.config.GatunConfiguration;
import io.gatun.control.ControlThread;
import io.gatun.control.HeapRoom;
import io.gatun.control.ObjectSource;
import io.gatun.control.document.FieldException;
import io.gatun.control.kubernetes.ApiObserver;
import io.gatun.control.kubernetes.ApiServer;
import io.gatun.control.kubernetes.ClusterSource;
import io.gatun.control.kubernetes.NodeAnnotations;
import io.gatun.control.kubernetes.StateFile;
import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestSource;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Where the Kubernetes objects of a run come from: files, an API server, or nowhere. For the thread
 * that starts and ends the daemon.
 */
final class Origin {
  private static final System.Logger LOG = System.getLogger("gatun");

  /** Without a state to serve it is better to take no frames than to drop them. */
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(10);

  private static final int LOOK_MILLIS = 2;

  private final @Nullable ManifestSource manifests;
  private final @Nullable ApiServer server;
  private final Path state;
  private @Nullable ClusterSource cluster;
  private @Nullable NodeAnnotations annotations;

  private Origin(@Nullable ManifestSource manifests, @Nullable ApiServer server, Path state) {
    this.manifests = manifests;
    this.server = server;
    this.state = state;
  }

  /** The objects of files; from any thread. */
  static ManifestSource read(Path manifests) {
    try {
      return new ManifestSource(manifests);
    } catch (ManifestException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  /**
   * What the command line says, else the configuration, else that of the pod that this is; nobody
   * is asked yet.
   *
   * @param state where the last known objects are kept
   */
  static Origin of(
      GatunConfiguration configuration,
      @Nullable ManifestSource manifests,
      @Nullable Path kubeconfig,
      Path state,
      ApiObserver observer) {
    if (manifests != null) {
      return new Origin(manifests, null, state);
    }
    try {
      Path file = kubeconfig == null ? configuration.proxy().kubeconfig() : kubeconfig;
      if (file != null) {
        return new Origin(null, ApiServer.ofKubeconfig(file, observer), state);
      }
    } catch (FieldException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
    if (ApiServer.isInCluster()) {
      return new Origin(null, ApiServer.inCluster(observer), state);
    }
    LOG.log(
        Level.WARNING,
        "no Services: got no --kubeconfig, no --manifests, no proxy.clientConnection.kubeconfig and"
            + " no service account, expected one of them");
    return new Origin(null, null, state);
  }

  /**
   * What the control thread follows; null for nothing.
   *
   * @param wake ends the control thread's pause
   * @param room for what the API server tells
   */
  @Nullable ObjectSource source(
      GatunConfiguration configuration, Runnable wake, ApiObserver observer, HeapRoom room) {
    if (server == null) {
      return manifests;
    }
    cluster =
        new ClusterSource(
            server,
            configuration.node(),
            configuration.serviceProxyName(),
            new StateFile(state, server.url() + " " + configuration.node()),
            wake,
            observer,
            room);
    return cluster;
  }

  /** Who writes what this node publishes of itself; null where there is nobody to write to. */
  @Nullable NodeAnnotations annotations(String node) {
    if (server != null && annotations == null) {
      annotations = new NodeAnnotations(server, node);
    }
    return annotations;
  }

  /**
   * Asks the API server, and waits for its first answer where there is nothing to serve before, or
   * where a predecessor serves meanwhile.
   */
  void start(ControlThread control, boolean served) throws InterruptedException {
    ClusterSource asked = cluster;
    if (asked == null) {
      return;
    }
    asked.start();
    long until = System.nanoTime() + PATIENCE;
    while (!asked.isFollowed() && (served || !asked.isKnown()) && System.nanoTime() - until < 0) {
      control.doWork();
      Thread.sleep(LOOK_MILLIS);
    }
    if (!asked.isKnown()) {
      LOG.log(
          Level.WARNING,
          "no Services yet: {0} has not answered within {1} s",
          server == null ? "" : server.url(),
          TimeUnit.NANOSECONDS.toSeconds(PATIENCE));
    }
    control.settle();
  }

  /** The API server answers all that it is asked. From any thread. */
  boolean isFollowed() {
    ClusterSource asked = cluster;
    return asked != null && asked.isFollowed() && asked.refusal() == null;
  }

  /** Lets go of the API server; with {@code forget} what was known of it goes too. */
  void close(boolean forget) {
    if (annotations != null) {
      annotations.close();
    }
    if (cluster != null) {
      cluster.close();
    }
    if (forget) {
      forget(state);
    }
  }

  /** Removes what is kept at {@code state}. */
  static void forget(Path state) {
    try {
      StateFile.remove(state);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "{0} cannot be removed: {1}", state, e.getMessage());
    }
  }
}
