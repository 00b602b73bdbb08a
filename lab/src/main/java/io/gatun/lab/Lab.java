package io.gatun.lab;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A named set of namespaces; one thread builds it, any process may take it down.
 *
 * <pre>{@code
 * try (Lab lab = Lab.up(Lab.runDirectory(), "mine", "left", "right")) {
 *   lab.node("left").exec("ip", "link");
 * }
 * }</pre>
 */
public final class Lab implements AutoCloseable {

  private static final String STATE = "lab.properties";

  private final Path directory;
  private final String prefix;
  private final String topology;
  private final long holder;
  private final List<Node> nodes;

  private Lab(Path directory, String prefix, String topology, long holder, List<String> names) {
    this.directory = directory;
    this.prefix = prefix;
    this.topology = topology;
    this.holder = holder;
    this.nodes =
        names.stream().map(name -> new Node(name, prefix + name, directory.resolve(name))).toList();
  }

  /** Where running things keep their files: {@code $GATUN_RUN_DIR}, else {@code /run/gatun}. */
  public static Path runDirectory() {
    return Path.of(Optional.ofNullable(System.getenv("GATUN_RUN_DIR")).orElse("/run/gatun"));
  }

  /**
   * Makes the namespaces, each with its loopback up.
   *
   * @param runDirectory see {@link #runDirectory()}
   * @param name of the lab: letters, digits, dashes
   * @param nodes the names of its namespaces
   */
  public static Lab up(Path runDirectory, String name, String... nodes) throws IOException {
    return up(runDirectory, name, "plain", List.of(nodes));
  }

  static Lab up(Path runDirectory, String name, String topology, List<String> nodes)
      throws IOException {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9-]*")) {
      throw new IllegalArgumentException(
          "lab name '" + name + "': expected letters, digits, dashes");
    }
    Path directory = runDirectory.resolve("lab").resolve(name);
    if (Files.exists(directory.resolve(STATE))) {
      throw new IOException("lab '" + name + "' is up already: gatun lab down --name " + name);
    }
    Lab lab = new Lab(directory, freePrefix(), topology, ProcessHandle.current().pid(), nodes);
    lab.write();
    try {
      Batch.namespaces("add", lab.nodes).orThrow();
      var batch = new Batch();
      lab.nodes.forEach(node -> batch.ip(node, "link set lo up"));
      batch.run();
      return lab;
    } catch (IOException | RuntimeException e) {
      lab.down();
      throw e;
    }
  }

  /** The labs that are up, by whomever, sorted by name. */
  public static List<Lab> list(Path runDirectory) throws IOException {
    Path labs = runDirectory.resolve("lab");
    if (!Files.isDirectory(labs)) {
      return List.of();
    }
    try (Stream<Path> directories = Files.list(labs)) {
      List<Lab> found = new ArrayList<>();
      for (Path directory : directories.sorted().toList()) {
        if (Files.exists(directory.resolve(STATE))) {
          found.add(read(directory));
        }
      }
      return found;
    }
  }

  /** A lab that is up; an exception that names those that are, when there is none of that name. */
  public static Lab open(Path runDirectory, String name) throws IOException {
    List<Lab> all = list(runDirectory);
    return all.stream()
        .filter(lab -> lab.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new IOException("no lab '" + name + "'; up: " + all.stream().map(Lab::name).toList()));
  }

  /**
   * A node of any lab that is up.
   *
   * @param name {@code NODE} where only one lab has such a node, else {@code LAB/NODE}
   */
  public static Node find(Path runDirectory, String name) throws IOException {
    List<Node> found = new ArrayList<>();
    List<String> known = new ArrayList<>();
    for (Lab lab : list(runDirectory)) {
      for (Node node : lab.nodes) {
        String full = lab.name() + "/" + node.name();
        known.add(full);
        if (name.equals(full) || name.equals(node.name())) {
          found.add(node);
        }
      }
    }
    if (found.size() != 1) {
      throw new IOException(
          (found.isEmpty() ? "no node '" : "more than one node '") + name + "' in " + known);
    }
    return found.getFirst();
  }

  public String name() {
    return directory.getFileName().toString();
  }

  /** What all its namespaces begin with. */
  public String prefix() {
    return prefix;
  }

  /** What was built in it: {@code two-nodes}, or {@code plain}. */
  public String topology() {
    return topology;
  }

  /** Whether the process that made it is still there. */
  public boolean held() {
    return ProcessHandle.of(holder).isPresent();
  }

  public Path directory() {
    return directory;
  }

  public List<Node> nodes() {
    return nodes;
  }

  public Node node(String name) {
    return nodes.stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "no node '"
                    + name
                    + "' in lab "
                    + name()
                    + ": "
                    + nodes.stream().map(Node::name).toList()));
  }

  /** Ends what runs in the namespaces, deletes them, unmounts and removes the lab's directory. */
  public void down() throws IOException {
    // On Ctrl-C the shutdown hook and the main thread both come here, by two objects.
    synchronized (Lab.class) {
      takeDown();
    }
  }

  private void takeDown() throws IOException {
    if (!Files.exists(directory.resolve(STATE))) {
      return;
    }
    Set<String> namespaces = Inhabitants.namespaces(nodes);
    Inhabitants.end(namespaces);
    List<Node> living = nodes.stream().filter(node -> Files.exists(node.path())).toList();
    if (!living.isEmpty()) {
      Batch.namespaces("del", living);
    }
    for (Node node : nodes) {
      if (Files.exists(node.path())) {
        throw new IOException("namespace " + node.namespace() + " cannot be deleted");
      }
    }
    // Whoever was on its way in while the names were still there.
    Inhabitants.end(namespaces);
    unmount();
    remove();
  }

  @Override
  public void close() throws IOException {
    down();
  }

  @Override
  public String toString() {
    return name() + " (" + prefix + "*)";
  }

  /**
   * A dataplane that was killed leaves its bpffs and its flows mounted here: both go. While it is
   * still giving its memory back they are busy; then they go as soon as it has.
   */
  private void unmount() throws IOException {
    List<String> mounts =
        Files.readAllLines(Path.of("/proc/self/mounts")).stream()
            .map(line -> line.split(" ", -1)[1])
            .filter(point -> Path.of(point).startsWith(directory))
            .toList();
    for (String mount : mounts.reversed()) {
      if (!Command.of("umount", mount).run().succeeded()) {
        Command.of("umount", "--lazy", mount).run().orThrow();
      }
    }
  }

  /** The state file goes last: whatever fails before can be tried again. */
  private void remove() throws IOException {
    Path state = directory.resolve(STATE);
    try (Stream<Path> files = Files.walk(directory)) {
      files
          .sorted(Comparator.reverseOrder())
          .filter(file -> !file.equals(directory) && !file.equals(state))
          .forEach(Lab::delete);
    }
    Files.delete(state);
    Files.delete(directory);
    try (Stream<Path> others = Files.list(directory.resolveSibling("."))) {
      if (others.findAny().isEmpty()) {
        Files.deleteIfExists(directory.getParent());
      }
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write() throws IOException {
    Files.createDirectories(directory);
    var properties = new Properties();
    properties.setProperty("prefix", prefix);
    properties.setProperty("topology", topology);
    properties.setProperty("holder", Long.toString(holder));
    properties.setProperty("nodes", String.join(" ", nodes.stream().map(Node::name).toList()));
    try (Writer writer = Files.newBufferedWriter(directory.resolve(STATE))) {
      properties.store(writer, null);
    }
  }

  private static Lab read(Path directory) throws IOException {
    var properties = new Properties();
    try (Reader reader = Files.newBufferedReader(directory.resolve(STATE))) {
      properties.load(reader);
    }
    return new Lab(
        directory,
        properties.getProperty("prefix", ""),
        properties.getProperty("topology", "plain"),
        Long.parseLong(properties.getProperty("holder", "0")),
        List.of(properties.getProperty("nodes", "").split(" ", -1)));
  }

  /** 36^5 names: a stale one is met about never, and then not taken. */
  private static String freePrefix() throws IOException {
    Path namespaces = Path.of("/run/netns");
    while (true) {
      String id = Integer.toString(ThreadLocalRandom.current().nextInt(60_466_176), 36);
      String prefix = "gl" + id + "-";
      if (!Files.isDirectory(namespaces)) {
        return prefix;
      }
      try (Stream<Path> existing = Files.list(namespaces)) {
        if (existing.noneMatch(path -> path.getFileName().toString().startsWith(prefix))) {
          return prefix;
        }
      }
    }
  }
}
