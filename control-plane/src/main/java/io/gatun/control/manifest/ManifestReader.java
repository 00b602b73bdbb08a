package io.gatun.control.manifest;

import io.gatun.control.document.Documents;
import io.gatun.control.document.Field;
import io.gatun.control.document.FieldException;
import io.gatun.control.model.KubernetesObject;
import io.gatun.control.model.ObjectName;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Reads one text of Kubernetes objects; used once, by one thread.
 *
 * <p>Unknown <em>kinds</em> are passed over (a folder of manifests holds Deployments too), unknown
 * <em>fields</em> as well (the API has hundreds); what is read must be right.
 */
public final class ManifestReader {
  /** Those that are read. */
  private static final Set<String> KINDS =
      Set.of("Service", "EndpointSlice", "Node", "Pod", "ServiceCIDR", "NetworkPolicy");

  private final String file;
  private final List<KubernetesObject> objects = new ArrayList<>();
  private final SortedSet<String> ignored = new TreeSet<>();
  private final List<String> mistakes = new ArrayList<>();

  private ManifestReader(String file) {
    this.file = file;
  }

  /**
   * What a text held.
   *
   * @param objects those without a mistake, in order
   * @param ignored the kinds that were passed over
   * @param mistakes one line for each object that was left out
   */
  public record Manifest(
      List<KubernetesObject> objects, SortedSet<String> ignored, List<String> mistakes) {}

  /**
   * Reads {@code text}, in which every object must be right.
   *
   * @param file what messages call it
   */
  public static Manifest read(String file, String text) throws ManifestException {
    Manifest manifest = readWhatIsRight(file, text);
    if (!manifest.mistakes().isEmpty()) {
      throw new ManifestException(manifest.mistakes().getFirst());
    }
    return manifest;
  }

  /** Reads {@code text} without the objects that have a mistake; it must be YAML, though. */
  static Manifest readWhatIsRight(String file, String text) throws ManifestException {
    ManifestReader reader = new ManifestReader(file);
    List<Field> documents;
    try {
      documents =
          Documents.read(text, mistake -> reader.mistakes.add(file + ": " + mistake.sentence()));
    } catch (FieldException e) {
      throw new ManifestException(file + ": " + e.sentence());
    }
    for (Field document : documents) {
      reader.object(document, "", "");
    }
    return new Manifest(List.copyOf(reader.objects), reader.ignored, List.copyOf(reader.mistakes));
  }

  /**
   * Reads one object that an API server sent; {@code version} and {@code kind} are those of its
   * list, for objects that leave them out.
   *
   * @param origin what messages call where it is from
   * @throws ManifestException when it has a mistake or is of another kind
   */
  public static KubernetesObject readObject(
      String origin, Field object, String version, String kind) throws ManifestException {
    ManifestReader reader = new ManifestReader(origin);
    reader.object(object, version, kind);
    if (!reader.mistakes.isEmpty()) {
      throw new ManifestException(reader.mistakes.getFirst());
    }
    if (reader.objects.size() != 1) {
      throw new ManifestException(
          "%s: got %s, expected one %s".formatted(origin, reader.ignored, kind));
    }
    return reader.objects.getFirst();
  }

  /** A typed list's items may leave out kind and apiVersion: those are the list's, then. */
  private void object(Field object, String listVersion, String listKind) {
    try {
      String kind = word(object.at("kind"), listKind);
      String version = word(object.at("apiVersion"), listVersion);
      switch (version + " " + kind) {
        case "v1 List" -> items(object, "", "");
        case "v1 ServiceList",
            "v1 NodeList",
            "v1 PodList",
            "discovery.k8s.io/v1 EndpointSliceList",
            "networking.k8s.io/v1 NetworkPolicyList",
            "networking.k8s.io/v1 ServiceCIDRList" ->
            items(object, version, kind.substring(0, kind.length() - "List".length()));
        case "v1 Service" -> objects.add(ServiceReader.read(name(object, true), object));
        case "discovery.k8s.io/v1 EndpointSlice" ->
            objects.add(EndpointSliceReader.read(name(object, true), object));
        case "v1 Node" -> objects.add(NodeReader.read(name(object, false), object));
        case "v1 Pod" -> objects.add(PodReader.read(name(object, true), object));
        case "networking.k8s.io/v1 ServiceCIDR" ->
            objects.add(NodeReader.readServiceCidr(name(object, false), object));
        case "networking.k8s.io/v1 NetworkPolicy" ->
            objects.add(NetworkPolicyReader.read(name(object, true), object));
        default -> ignored.add(kind + " (" + version + ")");
      }
    } catch (FieldException e) {
      mistakes.add(file + ": " + sentence(e, object, listVersion, listKind));
    }
  }

  /** What is wrong, behind what it is wrong with. */
  private static String sentence(
      FieldException mistake, Field object, String listVersion, String listKind) {
    String what = what(object, listVersion, listKind);
    String sentence = mistake.sentence();
    String path = object.path();
    if (!path.isEmpty() && sentence.startsWith(path + ".")) {
      sentence = sentence.substring(path.length() + 1);
    }
    return (what.isEmpty() ? path : what) + sep(what, path) + sentence;
  }

  /** Kind and name; empty for what does not say its kind and version. */
  private static String what(Field object, String listVersion, String listKind) {
    try {
      String kind = word(object.at("kind"), listKind);
      word(object.at("apiVersion"), listVersion);
      return KINDS.contains(kind) ? kind + nameOrWhere(object) : "";
    } catch (FieldException nameless) {
      return "";
    }
  }

  private static String sep(String what, String path) {
    return what.isEmpty() && path.isEmpty() ? "" : ": ";
  }

  private void items(Field list, String version, String kind) {
    for (Field item : list.at("items").items()) {
      object(item, version, kind);
    }
  }

  private static String word(Field field, String fallback) {
    if (!field.present() && !fallback.isEmpty()) {
      return fallback;
    }
    return field.text();
  }

  private static ObjectName name(Field object, boolean namespaced) {
    Field metadata = object.at("metadata");
    String name = metadata.at("name").text();
    if (name.isEmpty()) {
      throw metadata.at("name").expected("a name");
    }
    // kubectl apply puts an object that names no namespace into "default".
    String namespace = metadata.at("namespace").text("default");
    return new ObjectName(namespaced ? SharedWords.of(namespace) : "", name);
  }

  /** How a message calls an object, whose name may itself be the mistake. */
  private static String nameOrWhere(Field object) {
    try {
      return " " + name(object, !object.at("kind").text("").equals("Node"));
    } catch (FieldException nameless) {
      return object.path().isEmpty() ? "" : " " + object.path();
    }
  }
}
