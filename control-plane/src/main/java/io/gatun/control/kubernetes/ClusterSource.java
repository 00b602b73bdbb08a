package io.gatun.control.kubernetes;

import io.gatun.control.HeapRoom;
import io.gatun.control.ObjectSource;
import io.gatun.control.model.ClusterObjects;
import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.ObjectChanges;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ObjectStore;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of a cluster as its API server tells them. The reflectors' threads put updates into a
 * queue; everything public is for the control thread, but {@link #lastHeard}, {@link #isFollowed}
 * and {@link #isKnown}.
 *
 * <p>It begins with what the disk says was last known. What the server tells is held back until it
 * has told Services and their endpoints both, so that no Service is without endpoints for as long
 * as the second list takes; the other kinds are waited for a little.
 */
public final class ClusterSource implements ObjectSource, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterSource.class);
  private static final long LOOK_MILLIS = 1000;
  private static final long WRITE_SOONEST = TimeUnit.SECONDS.toNanos(5);

  /** A disk is to be busy with us a twentieth of the time at most. */
  private static final int WRITE_SHARE = 20;

  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(5);
  private static final int AT_ONCE = 20_000;

  private final ApiServer server;
  private final StateFile file;
  private final Runnable wake;
  private final ApiObserver observer;
  private final ConcurrentLinkedQueue<Update> queue = new ConcurrentLinkedQueue<>();
  private final Map<ApiResource, Reflector> reflectors = new EnumMap<>(ApiResource.class);
  private final List<Thread> threads = new ArrayList<>();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("api server").daemon(true).factory());
  private final ObjectStore store = new ObjectStore();
  private final List<Instant> causes = new ArrayList<>();
  private ObjectChanges changes = ObjectChanges.NONE;
  private long requiredSince;
  private volatile boolean unlocked;
  private final boolean fromDisk;
  private boolean first = true;
  private boolean dirty;
  private long nextWrite;
  private volatile boolean writing;
  private volatile long writePause = WRITE_SOONEST;
  private volatile long lastHeard;

  /**
   * Reads the disk; asks nobody before {@link #start}.
   *
   * @param server closed with this
   * @param node whose Pods are followed
   * @param proxyName whose Services; empty for those without the label
   * @param wake ends the control thread's pause
   * @param room for what is read
   */
  public ClusterSource(
      ApiServer server,
      String node,
      String proxyName,
      StateFile file,
      Runnable wake,
      ApiObserver observer,
      HeapRoom room) {
    this(server, node, proxyName, file, wake, observer, room, Timing.USUAL);
  }

  ClusterSource(
      ApiServer server,
      String node,
      String proxyName,
      StateFile file,
      Runnable wake,
      ApiObserver observer,
      HeapRoom room,
      Timing timing) {
    this.server = server;
    this.file = file;
    this.wake = wake;
    this.observer = observer;
    List<KubernetesObject> known = file.read();
    known.forEach(store::put);
    fromDisk = !known.isEmpty();
    if (!known.isEmpty()) {
      LOG.info("{} objects as last known, until the API server answers", known.size());
    }
    for (ApiResource resource : ApiResource.values()) {
      reflectors.put(
          resource,
          new Reflector(
              server,
              resource,
              resource.selector(node, proxyName),
              timing,
              this::offer,
              observer,
              room));
    }
  }

  /** Begins to ask. */
  public void start() {
    reflectors.forEach((resource, reflector) ->
        threads.add(
            Thread.ofPlatform()
                .name("follow " + resource.kind() + "s")
                .daemon(true)
                .start(reflector)));
    var _ =
        timer.scheduleWithFixedDelay(
            () -> reflectors.values().forEach(Reflector::giveUpSilence),
            LOOK_MILLIS,
            LOOK_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  private void offer(Update update) {
    queue.add(update);
    lastHeard = System.nanoTime();
    wake.run();
  }

  @Override
  public boolean poll(long nowNanos) {
    if (unlocked || unlocks(nowNanos)) {
      drain();
      if (dirty && !writing && nowNanos - nextWrite >= 0) {
        write(nowNanos);
      }
    }
    if (first) { // what the disk said
      first = false;
      changes = store.takeChanges();
      return !changes.isEmpty();
    }
    ObjectChanges now = store.takeChanges();
    if (now.isEmpty()) {
      return false;
    }
    changes = now;
    return true;
  }

  private boolean unlocks(long now) {
    if (!listed(true)) {
      return false;
    }
    requiredSince = requiredSince == 0 ? now : requiredSince;
    if (listed(false) || now - requiredSince >= PATIENCE) {
      unlocked = true;
      nextWrite = now + WRITE_SOONEST / 5;
      LOG.info("following the API server {}", server.url());
    }
    return unlocked;
  }

  private boolean listed(boolean requiredOnly) {
    return reflectors.entrySet().stream()
        .filter(entry -> entry.getKey().required() || !requiredOnly)
        .allMatch(entry -> entry.getValue().isListed());
  }

  private void drain() {
    for (int i = 0; i < AT_ONCE; i++) {
      Update update = queue.poll();
      if (update == null) {
        return;
      }
      take(update);
    }
    wake.run(); // there is more
  }

  private void take(Update update) {
    switch (update) {
      case Update.Listed(String kind, List<KubernetesObject> objects, Set<ObjectName> kept) -> {
        Set<ObjectName> gone = store.names(kind);
        objects.forEach(object -> {
          gone.remove(object.name());
          dirty |= store.put(object);
        });
        gone.removeAll(kept);
        gone.forEach(name -> dirty |= store.remove(kind, name));
      }
      case Update.Changed(KubernetesObject object, @Nullable Instant cause) -> {
        if (store.put(object)) {
          dirty = true;
          if (cause != null) {
            causes.add(cause);
          }
        }
      }
      case Update.Removed(String kind, ObjectName name) -> dirty |= store.remove(kind, name);
    }
  }

  @Override
  public void applied() {
    if (!causes.isEmpty()) {
      Instant now = Instant.now();
      causes.forEach(cause -> observer.programmed(Duration.between(cause, now)));
      causes.clear();
    }
  }

  private void write(long now) {
    List<KubernetesObject> all = store.all();
    dirty = false;
    writing = true;
    nextWrite = now + writePause;
    timer.execute(() -> {
      long began = System.nanoTime();
      try {
        file.write(all);
      } catch (IOException e) {
        LOG.warn("the last known state could not be written: {}", e.getMessage());
      }
      writePause = Math.max(WRITE_SOONEST, WRITE_SHARE * (System.nanoTime() - began));
      writing = false;
    });
  }

  @Override
  public ClusterObjects objects() {
    return store;
  }

  @Override
  public ObjectChanges changes() {
    return changes;
  }

  @Override
  public @Nullable String refusal() {
    String complaints =
        reflectors.values().stream()
            .map(Reflector::complaint)
            .filter(Objects::nonNull)
            .collect(Collectors.joining("; "));
    return complaints.isEmpty() ? null : complaints;
  }

  /** {@link System#nanoTime} of the last list or event, 0 before the first. From any thread. */
  public long lastHeard() {
    return lastHeard;
  }

  /** What the server tells is being taken. From any thread. */
  public boolean isFollowed() {
    return unlocked;
  }

  /** There is something to serve: what the server told, or what the disk did. From any thread. */
  public boolean isKnown() {
    return unlocked || fromDisk;
  }

  /** Lets go of the server; what was told last is on disk. */
  @Override
  public void close() {
    threads.forEach(Thread::interrupt);
    reflectors.values().forEach(Reflector::close);
    if (dirty && unlocked) {
      write(System.nanoTime());
    }
    timer.shutdown();
    try {
      timer.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    server.close();
  }
}
