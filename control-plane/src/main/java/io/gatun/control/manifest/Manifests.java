package io.gatun.control.manifest;

import io.gatun.control.document.FieldException;
import io.gatun.control.document.Texts;
import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.ObjectName;
import io.gatun.control.model.ObjectSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A file of manifests, or a folder of such files, read once. */
public final class Manifests {
  private Manifests() {}

  /** Everything that {@code path} holds, in which nothing may be wrong. */
  public static ObjectSet read(Path path) throws ManifestException {
    Map<Path, ManifestReader.Manifest> files = new TreeMap<>();
    List<String> mistakes = new ArrayList<>();
    for (Path file : files(path)) {
      ManifestReader.Manifest manifest = readFile(file);
      mistakes.addAll(manifest.mistakes());
      files.put(file, manifest);
    }
    ObjectSet objects = merge(files, ObjectSet.EMPTY, mistakes::add);
    if (!mistakes.isEmpty()) {
      throw new ManifestException(mistakes.getFirst());
    }
    return objects;
  }

  /** The kinds that {@code manifests} passed over. */
  static SortedSet<String> ignored(Iterable<ManifestReader.Manifest> manifests) {
    SortedSet<String> kinds = new TreeSet<>();
    manifests.forEach(manifest -> kinds.addAll(manifest.ignored()));
    return kinds;
  }

  /**
   * The files of {@code path}: itself, or, as kubectl takes a folder, what ends in .yaml, .yml or
   * .json there and is not hidden; in name order.
   */
  static List<Path> files(Path path) throws ManifestException {
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.filter(Manifests::isManifest).sorted().toList();
    } catch (IOException e) {
      throw new ManifestException(path + ": cannot be listed: " + Texts.reason(e));
    }
  }

  private static boolean isManifest(Path file) {
    String name = String.valueOf(file.getFileName());
    return !name.startsWith(".")
        && (name.endsWith(".yaml") || name.endsWith(".yml") || name.endsWith(".json"))
        && Files.isRegularFile(file);
  }

  static ManifestReader.Manifest readFile(Path file) throws ManifestException {
    String text;
    try {
      text = Texts.read(file);
    } catch (FieldException e) {
      throw new ManifestException(file + ": " + e.sentence());
    }
    return ManifestReader.readWhatIsRight(file.toString(), text);
  }

  private record Key(String kind, ObjectName name) {
    static Key of(KubernetesObject object) {
      return new Key(object.kind(), object.name());
    }
  }

  /**
   * What is wrong with {@code file} as {@code files} has it: an object that it did not have {@code
   * before}, and that another file has otherwise. Null for nothing.
   */
  static @Nullable String contested(
      Path file, ManifestReader.Manifest before, Map<Path, ManifestReader.Manifest> files) {
    ManifestReader.Manifest manifest = files.get(file);
    if (manifest == null) {
      return null;
    }
    Map<Key, KubernetesObject> added = new HashMap<>();
    manifest.objects().forEach(object -> added.put(Key.of(object), object));
    before.objects().forEach(object -> added.remove(Key.of(object)));
    if (added.isEmpty()) {
      return null;
    }
    for (Map.Entry<Path, ManifestReader.Manifest> other : files.entrySet()) {
      if (!other.getKey().equals(file)) {
        for (KubernetesObject object : other.getValue().objects()) {
          KubernetesObject ours = added.get(Key.of(object));
          if (ours != null && !ours.equals(object)) {
            return different(file, ours, other.getKey());
          }
        }
      }
    }
    return null;
  }

  private static String different(Path file, KubernetesObject object, Path other) {
    return "%s: %s %s: got a second one that differs from that in %s, expected one"
        .formatted(file, object.kind(), object.name(), other);
  }

  /**
   * One set of all files' objects. The same object twice is fine; of two that differ the one is
   * taken that {@code before} has, else the first, and {@code contested} is told of the other.
   */
  static ObjectSet merge(
      Map<Path, ManifestReader.Manifest> files, ObjectSet before, Consumer<String> contested) {
    record Found(Path file, KubernetesObject object) {}

    Map<Key, Found> found = new LinkedHashMap<>();
    files.forEach((file, manifest) -> {
      for (KubernetesObject object : manifest.objects()) {
        Found next = new Found(file, object);
        Found first = found.putIfAbsent(Key.of(object), next);
        if (first != null && !first.object().equals(object)) {
          boolean other = before.has(object);
          Found left = other ? first : next;
          Found taken = other ? next : first;
          found.put(Key.of(object), taken);
          contested.accept(different(left.file(), object, taken.file()));
        }
      }
    });
    return ObjectSet.of(found.values().stream().map(Found::object).toList());
  }
}
