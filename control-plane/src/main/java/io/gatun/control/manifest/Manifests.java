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
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A file of manifests, or a folder of such files, read once. */
public final class Manifests {
  private Manifests() {}

  /** Everything that {@code path} holds. */
  public static ObjectSet read(Path path) throws ManifestException {
    Map<Path, ManifestReader.Manifest> files = new HashMap<>();
    List<Path> order = files(path);
    for (Path file : order) {
      ManifestReader.Manifest manifest = readFile(file);
      if (!manifest.mistakes().isEmpty()) {
        throw new ManifestException(manifest.mistakes().getFirst());
      }
      files.put(file, manifest);
    }
    return merge(order, files);
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

  /** One set of all files' objects. The same object twice is fine, two that differ are not. */
  static ObjectSet merge(List<Path> order, Map<Path, ManifestReader.Manifest> files)
      throws ManifestException {
    record Key(String kind, ObjectName name) {}
    record Found(Path file, KubernetesObject object) {}

    Map<Key, Found> found = new HashMap<>();
    List<KubernetesObject> all = new ArrayList<>();
    for (Path file : order) {
      ManifestReader.Manifest manifest = files.get(file);
      for (KubernetesObject object :
          manifest == null ? List.<KubernetesObject>of() : manifest.objects()) {
        Found before =
            found.putIfAbsent(new Key(object.kind(), object.name()), new Found(file, object));
        if (before == null) {
          all.add(object);
        } else if (!before.object().equals(object)) {
          throw new ManifestException(
              "%s: %s %s: got a second one that differs from that in %s, expected one"
                  .formatted(file, object.kind(), object.name(), before.file()));
        }
      }
    }
    return ObjectSet.of(all);
  }
}
