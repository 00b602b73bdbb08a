package io.gatun.control.kubernetes;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.gatun.control.HeapRoom;
import io.gatun.control.document.Field;
import io.gatun.control.document.FieldException;
import io.gatun.control.document.JsonFields;
import io.gatun.control.manifest.ManifestException;
import io.gatun.control.manifest.ManifestReader;
import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.ObjectName;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows one kind: lists it, watches it from there, and begins again as far back as it has to.
 * Everything on its own thread but {@link #giveUpSilence}, {@link #isListed} and {@link
 * #complaint}.
 */
final class Reflector implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Reflector.class);
  private static final JsonFactory JSON = new JsonFactory();
  private static final int PIECE = 500;
  private static final int MOST_NAMED = 1000;

  /** Objects between two looks whether there is room for more; some hundred kilobytes. */
  private static final int BETWEEN_LOOKS = 64;

  private final ApiServer server;
  private final ApiResource resource;
  private final String selector;
  private final Timing timing;
  private final Consumer<Update> updates;
  private final ApiObserver observer;
  private final HeapRoom room;
  private final Backoff backoff;
  private final Versions versions = new Versions();
  private final Set<String> named = new HashSet<>();

  /** Where to watch from; empty: list first. */
  private String version = "";

  /** The version may be too old to list from: ask for the newest. */
  private boolean newest;

  private boolean watching;

  private volatile @Nullable HeardStream stream;
  private volatile boolean listed;
  private volatile @Nullable String complaint;

  Reflector(
      ApiServer server,
      ApiResource resource,
      String selector,
      Timing timing,
      Consumer<Update> updates,
      ApiObserver observer,
      HeapRoom room) {
    this.server = server;
    this.resource = resource;
    this.selector = selector;
    this.timing = timing;
    this.updates = updates;
    this.observer = observer;
    this.room = room;
    this.backoff =
        new Backoff(timing.firstMillis(), timing.mostMillis(), ThreadLocalRandom.current());
  }

  /** Until the thread is interrupted. */
  @Override
  public void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        Thread.sleep(step());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lists if it has to, watches until that ends; returns how long to wait before the next. */
  private long step() throws InterruptedException {
    try {
      if (version.isEmpty()) {
        list();
      }
      watch();
      return 0;
    } catch (ApiException e) {
      return after(e);
    } catch (IOException | FieldException e) {
      if (!watching) { // a watch that ends, however it does, is begun again; that may fail
        complain(String.valueOf(e.getMessage()));
      }
      return backoff.nextMillis(0);
    } finally {
      watching = false;
    }
  }

  private long after(ApiException e) {
    if (e.isGone()) {
      // AC: clear what is kept, list again. With differences, nothing that is the same moves.
      LOG.info("{}s: the API server has forgotten version {}; listing anew", kind(), version);
      version = "";
      newest = true;
      return backoff.nextMillis(0);
    }
    complain(String.valueOf(e.getMessage()));
    if (e.code() == ApiException.GATEWAY_TIMEOUT) {
      newest = true; // a server that is behind the version that we know
    }
    if (e.isDenied() && !resource.required()) {
      listed = true;
      return timing.absentMillis();
    }
    return backoff.nextMillis(TimeUnit.SECONDS.toMillis(e.retryAfterSeconds()));
  }

  /** The first list may be answered from the server's cache, which spares etcd a thousand nodes. */
  private void list() throws IOException, InterruptedException {
    List<KubernetesObject> objects = new ArrayList<>();
    Set<ObjectName> kept = new HashSet<>();
    versions.clear();
    String next = "";
    String at = "";
    do {
      String piece =
          next.isEmpty()
              ? (newest ? "limit=" + PIECE : "resourceVersion=0")
              : "limit=" + PIECE + "&continue=" + ApiResource.encoded(next);
      ListBody.Page page = page(resource.path() + "?" + piece + selector, objects, kept);
      next = page.next();
      at = page.version();
    } while (!next.isEmpty());
    updates.accept(new Update.Listed(kind(), List.copyOf(objects), Set.copyOf(kept)));
    version = at;
    newest = false;
    observer.listed();
    fine();
    listed = true;
  }

  private ListBody.Page page(String path, List<KubernetesObject> objects, Set<ObjectName> kept)
      throws IOException, InterruptedException {
    try (HeardStream body = open(path)) {
      return ListBody.read(body, item -> item(item, objects, kept));
    } finally {
      stream = null;
    }
  }

  private void item(Field item, List<KubernetesObject> objects, Set<ObjectName> kept) {
    if ((objects.size() + kept.size()) % BETWEEN_LOOKS == 0) {
      room.await();
    }
    KubernetesObject object = read(item);
    try {
      ObjectName name = name(item);
      if (object != null) {
        objects.add(object);
      } else if (name != null) {
        kept.add(name);
      }
      if (name != null) {
        versions.take(name, uid(item), versionOf(item));
      }
    } catch (FieldException e) {
      refused("API server: " + kind() + ": " + e.sentence()); // not even its metadata is right
    }
  }

  private void watch() throws IOException, InterruptedException {
    int seconds =
        timing.watchSeconds() + ThreadLocalRandom.current().nextInt(timing.watchSeconds() + 1);
    String path =
        resource.path()
            + "?watch=true&allowWatchBookmarks=true&resourceVersion="
            + ApiResource.encoded(version)
            + "&timeoutSeconds="
            + seconds
            + selector;
    try (HeardStream body = open(path)) {
      watching = true;
      fine();
      JsonParser parser = JSON.createParser(body); // waits for the first byte
      while (parser.nextToken() != null) {
        event(JsonFields.read(parser));
        backoff.reset();
      }
    } finally {
      stream = null;
    }
  }

  private void event(Field event) throws IOException {
    Field object = event.at("object");
    switch (event.at("type").text("")) {
      case "ADDED", "MODIFIED" -> object(object, this::changed);
      case "DELETED" -> object(object, this::removed);
      case "BOOKMARK" -> {}
      case "ERROR" ->
          throw new ApiException(
              (int) object.at("code").integer(0, 999, 0),
              object.at("details").at("retryAfterSeconds").integer(0, 86_400, 0),
              object.at("message").text(""));
      default -> throw new IOException("got an event of type " + event.at("type"));
    }
    String now = versionOf(object);
    if (!now.isEmpty()) {
      version = now;
    }
  }

  /** An object whose metadata is a mistake is passed over, lest it comes again and again. */
  private void object(Field object, Consumer<Field> what) {
    try {
      what.accept(object);
    } catch (FieldException e) {
      refused("API server: " + kind() + ": " + e.sentence());
    }
  }

  private void removed(Field object) {
    ObjectName name = name(object);
    if (name != null && versions.remove(name, uid(object), versionOf(object))) {
      updates.accept(new Update.Removed(kind(), name));
    }
  }

  private void changed(Field object) {
    ObjectName name = name(object);
    if (name != null && !versions.take(name, uid(object), versionOf(object))) {
      return;
    }
    KubernetesObject read = read(object);
    if (read != null) {
      updates.accept(new Update.Changed(read, cause(object)));
    }
  }

  /** Null for an object with a mistake, which is named. */
  private @Nullable KubernetesObject read(Field object) {
    try {
      return ManifestReader.readObject("API server", object, resource.version(), kind());
    } catch (ManifestException e) {
      refused(String.valueOf(e.getMessage()));
      return null;
    }
  }

  private void refused(String mistake) {
    observer.refused();
    if (named.size() < MOST_NAMED && named.add(mistake)) {
      LOG.error("{}; refused, what was known of it stays", mistake);
    }
  }

  /** Null when it has none that can be read. */
  private @Nullable ObjectName name(Field object) {
    Field metadata = metadata(object);
    Field name = metadata.at("name");
    try {
      return name.text("").isEmpty()
          ? null
          : new ObjectName(metadata.at("namespace").text(""), name.text());
    } catch (FieldException e) {
      return null;
    }
  }

  private static Field metadata(Field object) {
    Field metadata = object.at("metadata");
    metadata.has(""); // a mapping, or nothing that can be used
    return metadata;
  }

  private static String uid(Field object) {
    return object.at("metadata").at("uid").text("");
  }

  private static String versionOf(Field object) {
    return object.at("metadata").at("resourceVersion").text("");
  }

  private static @Nullable Instant cause(Field object) {
    String text =
        object
            .at("metadata")
            .at("annotations")
            .at("endpoints.kubernetes.io/last-change-trigger-time")
            .text("");
    try {
      return text.isEmpty() ? null : Instant.parse(text);
    } catch (DateTimeException e) {
      return null;
    }
  }

  private HeardStream open(String path) throws IOException, InterruptedException {
    HeardStream opened = new HeardStream(server.get(path));
    stream = opened;
    return opened;
  }

  /** From another thread: closes a connection that has been silent for too long. */
  void giveUpSilence() {
    HeardStream open = stream;
    if (open != null
        && System.nanoTime() - open.heard()
            > TimeUnit.MILLISECONDS.toNanos(timing.silenceMillis())) {
      LOG.info("{}s: silence from the API server; asking anew", kind());
      close(open);
    }
  }

  /** From another thread, after its interruption. */
  void close() {
    HeardStream open = stream;
    if (open != null) {
      close(open);
    }
  }

  private static void close(HeardStream open) {
    try {
      open.close();
    } catch (IOException e) {
      // it is given up anyway
    }
  }

  /** The kind has been listed, or will never be. */
  boolean isListed() {
    return listed;
  }

  /** Why it does not work, null when it does. */
  @Nullable String complaint() {
    return complaint;
  }

  private void complain(String why) {
    String line = kind() + "s: " + why;
    if (complaint == null) {
      LOG.warn("API server {}: {}; what was told last holds", server.url(), line);
    }
    complaint = line;
  }

  private void fine() {
    if (complaint != null) {
      LOG.info("API server {}: {}s are followed again", server.url(), kind());
    }
    complaint = null;
  }

  private String kind() {
    return resource.kind();
  }
}
