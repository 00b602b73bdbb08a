package io.gatun.control;

import io.gatun.control.kernel.KernelMirror;
import io.gatun.control.manifest.ManifestSource;
import io.gatun.control.model.ObjectSet;
import io.gatun.control.service.FrontChange;
import io.gatun.control.service.FrontTable;
import io.gatun.control.service.NodeSettings;
import io.gatun.control.service.NodeView;
import io.gatun.service.FrontKey;
import io.gatun.service.FrontSpec;
import java.net.InetAddress;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.function.IntSupplier;
import org.agrona.concurrent.Agent;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of the data path's tables: follows the manifests and the kernel, applies what
 * changed and frees what no worker looks at any more. Single-threaded; the heartbeat, {@link
 * #fronts} and {@link #refusal} may be read by any thread.
 */
public final class ControlThread implements Agent {
  /** Who takes changed fronts: the service table. Called on the control thread. */
  @FunctionalInterface
  public interface FrontSink {
    void apply(Collection<FrontSpec> changedOrNew, Collection<FrontKey> removed);
  }

  private final @Nullable ManifestSource manifests;
  private final KernelMirror mirror;
  private final NodeSettings node;
  private final FrontSink sink;
  private final IntSupplier reclaim;
  private final FrontTable table = new FrontTable();
  private @Nullable NodeView view;
  private long beats;
  private volatile long heartbeat;
  private volatile Collection<FrontSpec> fronts = Set.of();
  private volatile @Nullable String refusal;

  /**
   * Does nothing before the first {@link #doWork}.
   *
   * @param manifests null for none
   * @param reclaim frees retired records and returns how many: {@code Qsbr::reclaim}
   */
  public ControlThread(
      @Nullable ManifestSource manifests,
      KernelMirror mirror,
      NodeSettings node,
      FrontSink sink,
      IntSupplier reclaim) {
    this.manifests = manifests;
    this.mirror = mirror;
    this.node = node;
    this.sink = sink;
    this.reclaim = reclaim;
  }

  @Override
  public int doWork() {
    heartbeat = ++beats;
    long now = System.nanoTime();
    int done = mirror.doWork(now);
    boolean changed = manifests != null && manifests.poll(now);
    ObjectSet objects = manifests == null ? ObjectSet.EMPTY : manifests.objects();
    refusal = manifests == null ? null : manifests.refusal();
    if (changed || view == null || done > 0) {
      done += services(objects);
    }
    return done + reclaim.getAsInt();
  }

  private int services(ObjectSet objects) {
    NodeView seen = node.view(objects, mirror.localAddresses());
    FrontChange change = table.update(objects, seen);
    view = seen;
    if (change.isEmpty()) {
      return 0;
    }
    sink.apply(change.changedOrNew(), change.removed());
    fronts = table.fronts();
    Set<InetAddress> endpoints = new HashSet<>();
    for (FrontSpec front : fronts) {
      front.endpoints().forEach(endpoint -> endpoints.add(endpoint.getAddress()));
    }
    mirror.wanted(endpoints);
    return change.changedOrNew().size() + change.removed().size();
  }

  /** A number that changes while this thread lives. */
  public long heartbeat() {
    return heartbeat;
  }

  /** All fronts as last applied. */
  public Collection<FrontSpec> fronts() {
    return fronts;
  }

  /** Why the manifests as they are now were refused; null when they were not. */
  public @Nullable String refusal() {
    return refusal;
  }

  @Override
  public String roleName() {
    return "control";
  }

  @Override
  public void onClose() {
    mirror.close();
  }
}
