package io.gatun.control.manifest;

import io.gatun.control.ObjectSource;
import io.gatun.control.model.ObjectChanges;
import io.gatun.control.model.ObjectSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file or folder of manifests that is looked at again and again; for one thread.
 *
 * <p>Looks at size, times and inode of every file each 20 ms rather than asking inotify: that sees
 * a rename over the file, a ConfigMap's {@code ..data} switch, a folder that is replaced and every
 * kind of file system alike. A change is read when two looks in a row saw the same, so a file that
 * is just being written is left alone; together that is well under 100 ms.
 *
 * <p>At the first look at a file, objects with a mistake are left out and named. A change with a
 * mistake changes nothing and is logged once, in one line. So is a file that was cut to nothing:
 * {@code kubectl get … > file} does that for as long as kubectl thinks; who means it removes the
 * file.
 */
public final class ManifestSource implements ObjectSource {
  private static final Logger LOG = LoggerFactory.getLogger(ManifestSource.class);

  private static final long LOOK_EVERY = TimeUnit.MILLISECONDS.toNanos(20);

  private static final String INODE = "ino";
  private static final int RESTLESS_LOOKS = 2;

  private final Map<Path, Integer> restless = new HashMap<>();
  private final Path path;
  private final Map<Path, Loaded> files = new HashMap<>();
  private final SortedSet<String> noted = new TreeSet<>();
  private Map<Path, Map<String, Object>> seen = Map.of();
  private Map<Path, Map<String, Object>> handled;
  private ObjectSet objects;
  private ObjectChanges changes = ObjectChanges.NONE;
  private @Nullable String refusal;
  private long nextLook = Long.MIN_VALUE;

  private record Loaded(Map<String, Object> attributes, ManifestReader.Manifest manifest) {}

  /**
   * Reads {@code path} for the first time: what is no YAML is an exception, and an object with a
   * mistake is left out.
   */
  public ManifestSource(Path path) throws ManifestException {
    this.path = path;
    this.handled = look();
    this.objects = load(handled);
  }

  /** What the files said when they were last right. */
  @Override
  public ObjectSet objects() {
    return objects;
  }

  @Override
  public ObjectChanges changes() {
    return changes;
  }

  /** Why the files as they are now were refused; null when they were not. */
  @Override
  public @Nullable String refusal() {
    return refusal;
  }

  /** Looks, when it is time to; true when {@link #objects} changed. */
  @Override
  public boolean poll(long nowNanos) {
    if (nextLook != Long.MIN_VALUE && nowNanos - nextLook < 0) {
      return false;
    }
    nextLook = nowNanos + LOOK_EVERY;
    Map<Path, Map<String, Object>> now;
    try {
      now = look();
    } catch (ManifestException e) {
      refuse(e);
      return false;
    }
    Map<Path, Map<String, Object>> settled = settled(now);
    seen = now;
    if (settled.equals(handled)) {
      return false;
    }
    handled = settled;
    try {
      ObjectSet next = load(settled);
      changes = ObjectChanges.between(objects, next);
      if (refusal != null) {
        LOG.info("{} is right again", path);
      }
      refusal = null;
      objects = next;
      return !changes.isEmpty();
    } catch (ManifestException e) {
      refuse(e);
      return false;
    }
  }

  /**
   * The files as they may be read: those that two looks in a row saw alike, the others as they were
   * before. So a file that is being written holds nobody up. One that is replaced all the time (a
   * new inode at every look) is whole each time: that is how it is renamed into place.
   */
  private Map<Path, Map<String, Object>> settled(Map<Path, Map<String, Object>> now) {
    Map<Path, Map<String, Object>> settled = new TreeMap<>();
    now.forEach((file, attributes) -> {
      Map<String, Object> before = seen.get(file);
      if (attributes.equals(before)) {
        restless.remove(file);
        settled.put(file, attributes);
        return;
      }
      int looks = restless.merge(file, 1, Integer::sum);
      boolean replaced =
          before != null && !Objects.equals(before.get(INODE), attributes.get(INODE));
      Map<String, Object> was = handled.get(file);
      if (looks > RESTLESS_LOOKS && replaced) {
        settled.put(file, attributes);
      } else if (was != null) {
        settled.put(file, was);
      }
    });
    handled.forEach((file, attributes) -> {
      if (!now.containsKey(file) && seen.containsKey(file)) { // just gone; perhaps for a moment
        settled.put(file, attributes);
      }
    });
    return settled;
  }

  private void refuse(ManifestException e) {
    String reason = String.valueOf(e.getMessage());
    if (!reason.equals(refusal)) {
      LOG.error("{}; refused, the state before it stays", reason);
    }
    refusal = reason;
  }

  /** Each file's attributes that tell one content from another; empty for a file that is gone. */
  private Map<Path, Map<String, Object>> look() throws ManifestException {
    Map<Path, Map<String, Object>> all = new TreeMap<>();
    for (Path file : Manifests.files(path)) {
      try {
        all.put(file, Files.readAttributes(file, "unix:size,lastModifiedTime,ctime,ino,dev"));
      } catch (IOException gone) {
        all.put(file, Map.of());
      }
    }
    return all;
  }

  private ObjectSet load(Map<Path, Map<String, Object>> now) throws ManifestException {
    Map<Path, Loaded> next = new HashMap<>();
    Map<Path, ManifestReader.Manifest> manifests = new HashMap<>();
    for (Map.Entry<Path, Map<String, Object>> entry : now.entrySet()) {
      Path file = entry.getKey();
      Loaded loaded = files.get(file);
      if (loaded == null || !loaded.attributes().equals(entry.getValue())) {
        boolean hadObjects = loaded != null && !loaded.manifest().objects().isEmpty();
        if (hadObjects && Long.valueOf(0).equals(entry.getValue().get("size"))) {
          throw new ManifestException(
              file + ": got an empty file, expected objects (remove the file to remove them)");
        }
        loaded = new Loaded(entry.getValue(), accept(file, loaded));
      }
      next.put(file, loaded);
      manifests.put(file, loaded.manifest());
    }
    ObjectSet set = Manifests.merge(List.copyOf(now.keySet()), manifests);
    files.clear();
    files.putAll(next);
    note(Manifests.ignored(manifests.values()));
    return set;
  }

  /**
   * A file that is new is taken without its objects that have a mistake, so that a restart serves
   * what it can; each is named. A file that was there and gets a new mistake is refused whole.
   */
  private ManifestReader.Manifest accept(Path file, @Nullable Loaded before)
      throws ManifestException {
    ManifestReader.Manifest manifest = Manifests.readFile(file);
    List<String> known = before == null ? manifest.mistakes() : before.manifest().mistakes();
    for (String mistake : manifest.mistakes()) {
      if (!known.contains(mistake)) {
        throw new ManifestException(mistake);
      }
      if (noted.add(mistake)) {
        LOG.error("{}; this object is left out, the rest is taken", mistake);
      }
    }
    return manifest;
  }

  private void note(SortedSet<String> kinds) {
    for (String kind : kinds) {
      if (noted.add(kind)) {
        LOG.info("{}: objects of kind {} mean nothing here and are passed over", path, kind);
      }
    }
  }
}
