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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file or folder of manifests that is looked at again and again; for one thread.
 *
 * <p>Looks at size, times and inode of every file when {@link FolderWatch} says so: that sees a
 * rename over the file, a ConfigMap's {@code ..data} switch, a folder that is replaced and every
 * kind of file system alike. A change is read when two looks in a row saw the same, so a file that
 * is just being written is left alone; together that is well under 100 ms.
 *
 * <p>A mistake costs as little as it can, and is named once, in one line:
 *
 * <ul>
 *   <li>Of a file that was never read, objects with a mistake are left out; one that is no YAML is
 *       left out whole. So a restart serves what it can.
 *   <li>A file that was right stays as it was when a change brings a mistake: it is refused whole.
 *       So is a file that was cut to nothing ({@code kubectl get … > file} does that for as long as
 *       kubectl thinks; who means it removes the file), and a change that brings an object which
 *       another file has otherwise.
 *   <li>Of two such objects in new files the first is taken, or the one that was there before.
 *   <li>Other files go on in any case.
 * </ul>
 */
public final class ManifestSource implements ObjectSource {
  private static final Logger LOG = LoggerFactory.getLogger(ManifestSource.class);

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
  private final Map<Path, String> refusals = new TreeMap<>();
  private final boolean folder;
  private final FolderWatch watch = new FolderWatch();

  /** What a file looked like when it was read, and what it said when it was last right. */
  private record Loaded(
      Map<String, Object> attributes, ManifestReader.@Nullable Manifest manifest) {}

  /**
   * Reads {@code path} for the first time; where nothing at all can be read, that is an exception.
   */
  public ManifestSource(Path path) throws ManifestException {
    this.path = path;
    this.folder = Files.isDirectory(path);
    this.objects = ObjectSet.EMPTY;
    this.handled = look();
    load(handled);
    if (!files.isEmpty() && files.values().stream().allMatch(file -> file.manifest() == null)) {
      throw new ManifestException(String.valueOf(refusal()));
    }
    refusals.values().forEach(LOG::error);
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

  /** Why a file as it is now was refused, the first of them; null when none was. */
  @Override
  public @Nullable String refusal() {
    return refusals.isEmpty() ? null : refusals.values().iterator().next();
  }

  @Override
  public boolean isSettling() {
    return watch.isSettling();
  }

  /** Looks, when it is time to; true when {@link #objects} changed. */
  @Override
  public boolean poll(long nowNanos) {
    if (!watch.isDue(nowNanos)) {
      return false;
    }
    watch.looking();
    Map<Path, String> before = new TreeMap<>(refusals);
    boolean changed = false;
    try {
      Map<Path, Map<String, Object>> now = look();
      if (folder) {
        refusals.remove(path); // it is there
      }
      watch.looked(nowNanos, path, now.keySet(), now.equals(seen));
      Map<Path, Map<String, Object>> settled = settled(now);
      seen = now;
      if (!settled.equals(handled)) {
        handled = settled;
        ObjectSet was = objects;
        load(settled);
        changes = ObjectChanges.between(was, objects);
        changed = !changes.isEmpty();
      }
    } catch (ManifestException e) {
      watch.failed(nowNanos);
      refusals.put(path, String.valueOf(e.getMessage()));
    }
    tell(before);
    return changed;
  }

  /** What is refused now and was not before, and what is right again. */
  private void tell(Map<Path, String> before) {
    refusals.forEach((file, reason) -> {
      if (!reason.equals(before.get(file))) {
        LOG.error("{}; refused, the state before it stays", reason);
      }
    });
    before.keySet().stream()
        .filter(file -> !refusals.containsKey(file))
        .forEach(file -> LOG.info("{} is right again", file));
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

  /** Each file's attributes that tell one content from another; empty for a file that is gone. */
  private Map<Path, Map<String, Object>> look() throws ManifestException {
    if (folder && !Files.isDirectory(path)) {
      throw new ManifestException(path + ": cannot be listed: no such folder");
    }
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

  /** Reads what changed; each file that cannot be taken stays as it was. */
  @SuppressWarnings("ReferenceEquality") // what was not read anew is the same one
  private void load(Map<Path, Map<String, Object>> now) {
    refusals.keySet().removeIf(file -> !now.containsKey(file));
    Map<Path, Loaded> next = new HashMap<>();
    Map<Path, ManifestReader.Manifest> manifests = new TreeMap<>();
    for (Map.Entry<Path, Map<String, Object>> entry : now.entrySet()) {
      Path file = entry.getKey();
      Loaded loaded = files.get(file);
      if (loaded == null || !loaded.attributes().equals(entry.getValue())) {
        loaded = new Loaded(entry.getValue(), read(file, entry.getValue(), loaded));
      }
      next.put(file, loaded);
      if (loaded.manifest() != null) {
        manifests.put(file, loaded.manifest());
      }
    }
    for (Map.Entry<Path, Loaded> was : files.entrySet()) {
      ManifestReader.Manifest right = was.getValue().manifest();
      Path file = was.getKey();
      if (right == null || right.objects().isEmpty() || manifests.get(file) == right) {
        continue;
      }
      String mistake = Manifests.contested(file, right, manifests);
      if (mistake != null) {
        refusals.put(file, mistake);
        // Read again with the next change of any file: the other one may give way.
        next.put(file, new Loaded(Map.of(), right));
        manifests.put(file, right);
      }
    }
    files.clear();
    files.putAll(next);
    objects = Manifests.merge(manifests, objects, this::contested);
    note(Manifests.ignored(manifests.values()));
  }

  /** What {@code file} says, or said when it was last right; null when it never was. */
  private ManifestReader.@Nullable Manifest read(
      Path file, Map<String, Object> attributes, @Nullable Loaded before) {
    ManifestReader.Manifest right = before == null ? null : before.manifest();
    try {
      if (right != null
          && !right.objects().isEmpty()
          && Long.valueOf(0).equals(attributes.get("size"))) {
        throw new ManifestException(
            file + ": got an empty file, expected objects (remove the file to remove them)");
      }
      right = accept(file, right);
      refusals.remove(file);
    } catch (ManifestException e) {
      refusals.put(file, String.valueOf(e.getMessage()));
    }
    return right;
  }

  private void contested(String mistake) {
    if (noted.add(mistake)) {
      LOG.error("{}; this one is left out", mistake);
    }
  }

  /**
   * A file that is new is taken without its objects that have a mistake, so that a restart serves
   * what it can; each is named. A file that was there and gets a new mistake is refused whole.
   */
  private ManifestReader.Manifest accept(Path file, ManifestReader.@Nullable Manifest before)
      throws ManifestException {
    ManifestReader.Manifest manifest = Manifests.readFile(file);
    List<String> known = before == null ? manifest.mistakes() : before.mistakes();
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
